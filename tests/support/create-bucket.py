"""Makes the bucket that SYMBOLIST_TEST_S3_* names, with a request signed by hand (AWS signature version 4)."""

import datetime, hashlib, hmac, os, sys, time, urllib.error, urllib.request

REGION = "us-east-1"
TRIES = 240  # twice a second


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def put_bucket(endpoint, bucket, key, secret):
    now = datetime.datetime.now(datetime.timezone.utc)
    day, moment = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    body_hash = hashlib.sha256(b"").hexdigest()
    headers = {"host": endpoint.split("//")[1], "x-amz-content-sha256": body_hash, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"PUT\n/{bucket}\n\n{lines}\n{names}\n{body_hash}"
    scope = f"{day}/{REGION}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signing_key = ("AWS4" + secret).encode()
    for part in (day, REGION, "s3", "aws4_request"):
        signing_key = sign(signing_key, part)
    signature = sign(signing_key, text).hex()
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=headers), timeout=30)


place = [os.environ["SYMBOLIST_TEST_S3_" + name] for name in ("ENDPOINT", "BUCKET", "KEY", "SECRET")]
for _ in range(TRIES):
    try:
        put_bucket(*place)
        sys.exit(0)
    except OSError as error:  # not listening yet, or refused
        last = error
        time.sleep(0.5)
sys.exit(f"could not make the bucket: {last}")
