"""Support: the signed requests on the provider's pages whose sign can be recomputed."""

SIGNED: dict[str, tuple[dict[str, str], str]] = {
    "with slashes": (
        {
            "deviceCode": "89852420180910340793",
            "languageCode": "1",
            "mark": "0",
            "partnerCode": "P000270",
            "terminal": "1",
            "tradeTime": "1645683857572",
            "tradeType": "singleVerify",
            "url": "https://dist.linksfield.net/login",
            "version": "3.0",
        },
        "ea7a3bba7e345e0b8ca7f7e3b43d6e72",
    ),
    "beyond ASCII": (
        {
            "area": "欧洲",
            "deviceCode": "89852420180910340793",
            "languageCode": "1",
            "mark": "0",
            "partnerCode": "P000270",
            "terminal": "0",
            "tradeTime": "1645782486394",
            "tradeType": "singleServicePlanPage",
            "version": "3.0",
        },
        "3fdb15332726c77cd792ea2328f98a80",
    ),
}
"""Request and sign of the examples singleVerify and singleServicePlanPage."""
