"""The payment gateway: signing, protocol, connections, client."""
