"""Reports an exception with a chained cause, an attachment, tags and a user to `SENTRY_DSN`.

Prints `{"event_id": …}`.
"""

import json

import sentry_sdk


class OrderError(Exception):
    """An order that cannot be carried out."""


def rate(levels, level):
    return levels[level]


def price(cents, level):
    try:
        return cents * rate({"gold": 80, "silver": 90}, level) // 100
    except KeyError as error:
        raise OrderError(f"no price for {cents} cents") from error


def main():
    sentry_sdk.init(release="crash@1.0.0", environment="test", server_name="test-host", send_default_pii=False)
    scope = sentry_sdk.get_isolation_scope()
    scope.set_tag("customer", "bronze")
    scope.set_user({"id": "42", "email": "jane@example.com"})
    scope.add_attachment(bytes=b"one line of a log\n", filename="order.log", content_type="text/plain")
    sentry_sdk.add_breadcrumb(category="cart", message="item added", level="info")
    try:
        price(1999, "bronze")
    except OrderError as error:
        event_id = sentry_sdk.capture_exception(error)
    sentry_sdk.flush(timeout=20)
    print(json.dumps({"event_id": event_id}))


main()
