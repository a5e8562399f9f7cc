# Sends every upstream connection to the bench origin, whatever name the client asked for.
import os


def server_connect(data):
    data.server.address = ("127.0.0.1", data.server.address[1])


def running():
    os.environ.setdefault("MITMPROXY", "bench")
