"""DynamoDB, SQS and EventBridge."""
