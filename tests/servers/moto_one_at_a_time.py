"""moto's S3 server, answering one request at a time, on a port that the system chooses and the log tells.

moto 5.2.5 looks whether a key exists and stores the object without a lock in between. Of 2000 races of eight small `If-None-Match: *`
writers none went wrong, but of 60 races with 20 MB objects eleven had several winners. S3 itself never does that, and a test of
concurrent commits needs a store that never does. Connections stay concurrent; nothing else of moto is changed.
"""

from threading import Lock

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)
alone = Lock()


def one_at_a_time(environ, start_response):
    with alone:
        return moto(environ, start_response)


run_simple("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=MotoRequestHandler)
