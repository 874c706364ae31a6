"""moto's S3 server, answering one request at a time, on a port that the system chooses and the log tells.

moto 5.2.5 looks whether a key exists and stores the object without a lock in between. Of 2000 races of eight small `If-None-Match: *`
writers none went wrong, but of 60 races with 20 MB objects eleven had several winners. S3 itself never does that, and a test of
concurrent commits needs a store that never does. Connections stay concurrent; nothing else of moto is changed.

`google` makes it speak as Google Cloud Storage does. Google's XML API is S3's but for the header that makes a put conditional, the one
that names a version, and the bearer's token; no server that can be installed takes the first (fake-gcs-server refuses such puts). So this
proves what our side sends and makes of the answers. It must not be taken for Google.
"""

import sys
from hashlib import sha256
from threading import Lock

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)
alone = Lock()
# What moto wants to see instead of a bearer's token; it checks no signatures.
SIGNED = "AWS4-HMAC-SHA256 Credential=lake-test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def one_at_a_time(environ, start_response):
    with alone:
        return moto(environ, start_response)


def google(environ, start_response):
    environ["HTTP_AUTHORIZATION"] = SIGNED
    if environ["REQUEST_METHOD"] == "PUT":
        environ.pop("HTTP_IF_NONE_MATCH", None)  # S3's word for it, for which Google does not care
    generation = environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None)
    if generation == "0":
        environ["HTTP_IF_NONE_MATCH"] = "*"
    elif generation is not None:
        start_response("501 Not Implemented", [])
        return [b"only generation 0 is known here"]

    def answer(status, headers, *error):
        tags = [value for name, value in headers if name.lower() == "etag"]
        versions = [("x-goog-generation", str(int.from_bytes(sha256(tag.encode()).digest()[:7], "big"))) for tag in tags]
        return start_response(status, headers + versions, *error)

    return one_at_a_time(environ, answer)


app = google if sys.argv[1:] == ["google"] else one_at_a_time
run_simple("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
