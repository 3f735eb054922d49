# SPDX-License-Identifier: Apache-2.0
"""What the tests of the portal share: a server of the sandbox's sweeps, and a client that shows its token."""

import http.client
import json
import socket
import struct
import urllib.parse

import support
from support import HdriveTest, METRIC

# Reports when the test lets it, once for each line of the file.
PACED = METRIC + '''
n=0
while [ ! -e "$RECORD.stop" ]; do
  while [ "$n" -lt "$(wc -l < "$RECORD.go" 2>/dev/null || echo 0)" ]; do n=$((n + 1)); metric loss 0.$n; done
  sleep 0.01
done
'''


class Portal(HdriveTest):
    def serve(self, *arguments, **options):
        server = self.start("ui", "--port", self.free_port(), *arguments, **options)
        self.url = urllib.parse.urlparse(server.stdout.readline().decode().strip())
        self.token = urllib.parse.parse_qs(self.url.query)["token"][0]
        return server

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.url.port, timeout=support.DEADLINE)

    def ask(self, method, path, body=None, headers=None, token=True):
        connection = self.connect()
        shown = {"Authorization": f"Bearer {self.token}"} if token else {}
        if body is not None:
            shown.update({"Content-Type": "application/json", "X-Hdrive": "1"})
            body = json.dumps(body)
        connection.request(method, path, body, {**shown, **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer, data

    def get(self, path, status=200):
        answer, data = self.ask("GET", f"/api/v1/{path}")
        self.assertEqual(status, answer.status, data)
        return json.loads(data)

    def do(self, path, status=200, **body):
        answer, data = self.ask("POST", f"/api/v1/{path}", body)
        self.assertEqual(status, answer.status, data)
        return json.loads(data)

    def columns(self, sweep, since=""):
        answer, data = self.ask("GET", f"/api/v1/sweeps/{sweep}/columns?since={since}")
        self.assertEqual(200, answer.status, data)
        self.assertEqual(b"HDC1", data[:4])
        length = struct.unpack("<I", data[4:8])[0]
        head, at = json.loads(data[8:8 + length]), 8 + length
        columns = {}
        for column in head["columns"]:
            code, size = {"f64": ("d", 8), "i32": ("i", 4), "u8": ("B", 1)}[column["type"]]
            name = column["name"] + ("." + column["stat"] if "stat" in column else "")
            columns[name] = struct.unpack_from(f"<{head['rows']}{code}", data, at)
            at += (head["rows"] * size + 7) // 8 * 8
        self.assertEqual(len(data), at)
        return head, columns

    def listen(self, sweep=None):
        """Events as they come, as (name, data)."""
        connection = self.connect()
        connection.request("GET", "/api/v1/events" + (f"?sweep={sweep}" if sweep else ""),
                           headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        self.assertEqual("text/event-stream", answer.getheader("Content-Type"))
        self.addCleanup(connection.close)

        def events():
            fields = {}
            for line in answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif fields.get("event"):
                    yield fields["event"], json.loads(fields["data"])
                    fields = {}
        return events()
