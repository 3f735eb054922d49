# SPDX-License-Identifier: Apache-2.0
"""Brings what a run writes to the sweep's server by HTTP, where engine and run share no file system.

Files are sent piece by piece, each with the place where it belongs; the server says how far it has come, so that what
is sent twice does no harm and nothing is lost while the engine is away (docs/http-reports.md). One file without
dependencies, for any Python from 3.6 on. `Reporter` is for a training script (hdrive_run starts it), `Mirror` for a job
(hdrive_job).
"""

import atexit
import http.client
import json
import os
import shutil
import signal
import ssl
import threading
import time
import urllib.parse

__all__ = ["Mirror", "Over", "Reporter", "Server"]

PIECE = 4 << 20
TIMEOUT = 30
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
# How often the server is asked whether the run is to end, where nothing else is said.
SIGN_OF_LIFE = 2.0


class Over(Exception):
    """The server takes nothing more of this attempt: it has ended, or another one has begun."""


class Unavailable(OSError):
    """There is no answer, or one that will be another soon."""


class Server:
    """What one attempt may ask of the sweep's server. One connection, made again when it breaks; for one thread."""

    def __init__(self, url, token, certificate=""):
        parts = urllib.parse.urlsplit(url)
        self._path, self._token = parts.path.rstrip("/"), token
        self._host, self._port = parts.hostname, parts.port
        self._context = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context()
            if certificate:
                self._context.load_verify_locations(cadata=certificate)
                # It is trusted itself, whoever has signed it.
                self._context.verify_flags |= getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
        self._connection = None
        self.stop = ""  # as the last answer said: "", "gracefully", "kill"
        self.asked = 0.0  # when there was an answer last

    def ask(self, method, path, body=b"", into=None):
        """The answer; with `into` its bytes are written there. Raises OSError where the same may work later, Over where it
        will not."""
        status, text = self._request(method, path, body, into)
        if status in (401, 403):
            raise Over("the server does not know the token: " + _message(text))
        if status >= 500 or status in (408, 429):
            raise Unavailable("the server answers %d: %s" % (status, _message(text)))
        self.asked = time.monotonic()
        if into is not None and status == 200:
            return {}
        try:
            answer = json.loads(text.decode("utf-8"))
        except ValueError:
            raise Unavailable("what answers at %s is not the sweep's server" % self._host)
        if status == 200 or answer.get("error_code") == "OFFSET":
            self.stop = answer.get("stop", "") if isinstance(answer, dict) else ""
            return answer
        raise Over(_message(text))

    def _request(self, method, path, body, into):
        headers = {"Authorization": "Bearer " + self._token, "Content-Length": str(len(body))}
        try:
            if self._connection is None:
                make = http.client.HTTPSConnection if self._context else http.client.HTTPConnection
                options = {"context": self._context} if self._context else {}
                self._connection = make(self._host, self._port, timeout=TIMEOUT, **options)
            self._connection.request(method, self._path + path, body, headers)
            answer = self._connection.getresponse()
            if into is None or answer.status != 200:
                return answer.status, answer.read()
            shutil.copyfileobj(answer, into, PIECE)
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)
            return answer.status, b""
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unavailable("no answer from %s: %s" % (self._host, error or type(error).__name__))
        except BaseException:
            self.close()
            raise

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _message(text):
    try:
        return str(json.loads(text.decode("utf-8"))["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200].decode("utf-8", "replace")


class Mirror:
    """Files of a run directory and how much of them the server has."""

    def __init__(self, server, directory):
        self.server, self.directory = server, directory
        self._confirmed = {}
        self._sent = {}

    def grow(self, name):
        """Sends what a file that is appended to has more than the server. True: all of it is there."""
        try:
            with open(os.path.join(self.directory, name), "rb") as file:
                return self._grow(name, file)
        except FileNotFoundError:
            return True

    def _grow(self, name, file):
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            return True
        if name not in self._confirmed:
            self._confirmed[name] = self.server.ask("GET", _address(name))["size"]
        if self._confirmed[name] > size:  # it was begun anew
            self._replace(name, file)
        file.seek(self._confirmed[name])
        while self._confirmed[name] < size:
            piece = file.read(min(PIECE, size - self._confirmed[name]))
            if not piece:
                return False
            at = self._confirmed[name]
            answer = self.server.ask("POST", _address(name) + "?offset=%d" % at, piece)
            self._confirmed[name] = answer["size"]
            if answer["size"] != at + len(piece):
                file.seek(answer["size"])
        return True

    def put(self, name):
        """Sends a file as it is now in the place of what the server has of it."""
        path = os.path.join(self.directory, name)
        try:
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                mark = (status.st_ino, status.st_size, status.st_mtime_ns)
                if self._sent.get(name) == mark:
                    return
                self._replace(name, file)
                self._grow(name, file)
                self._sent[name] = mark
        except FileNotFoundError:
            pass

    def _replace(self, name, file):
        file.seek(0)
        self._confirmed[name] = self.server.ask("PUT", _address(name), file.read(PIECE))["size"]


def _address(name):
    return "/files/" + urllib.parse.quote(name.replace(os.sep, "/"))


class Reporter:
    """Sends a metrics file as it grows, from a thread of its own: who writes to the file waits for nobody. It is the
    spool, too: what the server has not confirmed stays in it and is sent again."""

    def __init__(self, server, path, on_stop):
        self.process = os.getpid()
        self.stop_requested = False
        self._mirror = Mirror(server, os.path.dirname(path))
        self._server, self._name, self._path, self._on_stop = server, "metrics.jsonl", path, on_stop
        self._more, self._closing, self._done = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hdrive-report", daemon=True)
        self._thread.start()

    def notify(self):
        """There is more in the file."""
        self._more.set()

    def close(self, patience):
        """Waits until all of it has arrived, so many seconds at most. False: it has not."""
        self._closing.set()
        self._more.set()
        return self._done.wait(patience)

    def _run(self):
        pause = FIRST_PAUSE
        try:
            while True:
                closing = self._closing.is_set()
                self._more.clear()
                try:
                    self._turn()
                    pause = FIRST_PAUSE
                    if closing:
                        self._done.set()
                        return
                    self._more.wait(SIGN_OF_LIFE)
                except OSError:
                    self._closing.wait(pause) and time.sleep(min(pause, 1.0))
                    pause = min(2 * pause, LONGEST_PAUSE if not closing else 1.0)
        except Over:
            self._done.set()
            self._stop()

    def _turn(self):
        with open(self._path, "rb") as file:
            self._mirror._grow(self._name, file)
        if time.monotonic() - self._server.asked > SIGN_OF_LIFE:
            self._server.ask("GET", _address(self._name))
        if self._server.stop:
            self._stop()

    def _stop(self):
        if not self.stop_requested and not self._closing.is_set():
            self.stop_requested = True
            self._on_stop()


def start_reporter(url, path):
    """The reporter of this process, which ends with it. A run that is to end gets SIGTERM, as elsewhere."""
    server = Server(url, os.environ.get("HDRIVE_REPORT_TOKEN", ""), os.environ.get("HDRIVE_REPORT_CERTIFICATE", ""))
    reporter = Reporter(server, path, lambda: os.kill(os.getpid(), signal.SIGTERM))
    patience = float(os.environ.get("HDRIVE_REPORT_PATIENCE") or 60)
    atexit.register(lambda: reporter.process == os.getpid() and reporter.close(patience))
    return reporter
