#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The portal over real sockets: who is let in, and what no client, script or user may do."""

import json
import resource
import socket
import urllib.parse

import support
from support import QUICK
from ui_support import Portal

# Names and texts that a page must not run.
EVIL = '<img src=x onerror=alert(1)>'


class Safety(Portal):
    def test_nobody_comes_in_without_the_token(self):
        self.config(QUICK)
        self.hdrive("run")
        self.serve()
        for path in ("/", "/api/v1/sweeps", "/metrics", "/openapi.json", "/assets/x.js", "/api/v1/events"):
            self.assertEqual(401, self.ask("GET", path, token=False)[0].status, path)
        answer, _ = self.ask("GET", f"/?token={self.token}", token=False)
        self.assertEqual(303, answer.status)
        cookie = answer.getheader("Set-Cookie")
        self.assertIn("HttpOnly; SameSite=Strict", cookie)
        shown = {"Cookie": cookie.partition(";")[0]}
        self.assertEqual(200, self.ask("GET", "/api/v1/sweeps", headers=shown, token=False)[0].status)
        self.assertEqual(403, self.ask("POST", "/api/v1/commands", headers=shown, token=False)[0].status)
        self.assertEqual(403, self.ask("GET", "/api/v1/sweeps", headers={**shown, "Origin": "http://evil.example"})[0].status)
        self.assertEqual(421, self.ask("GET", "/api/v1/sweeps", headers={**shown, "Host": "evil.example"})[0].status)
        # Another start has another token.
        first = self.token
        self.serve()
        self.token = first
        self.assertEqual(401, self.ask("GET", "/api/v1/sweeps")[0].status)

    def test_what_scripts_and_users_named_is_told_as_text(self):
        self.config(f"mkdir -p 'outputs/{EVIL.replace('/', '_')}'; echo '{EVIL}' > 'outputs/{EVIL.replace('/', '_')}/a.html'; echo '{EVIL}'\n" + QUICK,
                    max_total_runs=1, tags={"tag": EVIL}, description=EVIL)
        self.hdrive("run", "--name", EVIL)
        self.serve()
        answer, data = self.ask("GET", "/api/v1/sweeps")
        self.assertEqual("application/json", answer.getheader("Content-Type"))
        self.assertEqual("nosniff", answer.getheader("X-Content-Type-Options"))
        policy = answer.getheader("Content-Security-Policy")
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        sweep = json.loads(data)["sweeps"][0]
        self.assertEqual((EVIL, EVIL, {"tag": EVIL}), (sweep["name"], sweep["description"], sweep["tags"]))
        [file] = self.get(f"sweeps/{sweep['id']}/runs/0/files")["files"]
        path = f"/api/v1/sweeps/{sweep['id']}/runs/0/file?path=" + urllib.parse.quote(file["path"])
        self.assertEqual("text/plain; charset=utf-8", self.ask("GET", path)[0].getheader("Content-Type"))
        rendered = self.ask("GET", path + "&render=1")[0]
        self.assertTrue(rendered.getheader("Content-Security-Policy").startswith("sandbox; default-src 'none'"))

    def test_paths_lead_nowhere_else(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run")
        self.serve()
        sweep = self.get("sweeps")["sweeps"][0]["id"]
        for path in ("../run.json", "outputs/../run.json", "/etc/passwd", "outputs/%00", "run.json"):
            answer, _ = self.ask("GET", f"/api/v1/sweeps/{sweep}/runs/0/file?path={urllib.parse.quote(path)}")
            self.assertEqual(404, answer.status, path)
        for word in ("..", "%2e%2e", "%2Fetc", "..%2F..%2Fetc", "last", "first", urllib.parse.quote(str(self.folder), safe="")):
            self.assertEqual(404, self.ask("GET", f"/api/v1/sweeps/{word}")[0].status, word)
        for word in ("-1", "1e3", "99", "0x1", "%00", "9" * 40):
            self.assertIn(self.ask("GET", f"/api/v1/sweeps/{sweep}/runs/{word}")[0].status, (400, 404), word)

    def test_what_is_too_large_too_slow_or_no_request_hurts_nobody(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run")
        self.serve()
        slow = socket.create_connection(("127.0.0.1", self.url.port))
        self.addCleanup(slow.close)
        slow.sendall(b"GET /api/v1/sweeps HTTP/1.1\r\nHost: ")
        answer, _ = self.ask("GET", "/api/v1/sweeps", headers={"X-Long": "x" * 200_000})
        self.assertEqual(431, answer.status)
        connection = self.connect()
        connection.putrequest("POST", "/api/v1/commands")
        for name, value in (("Authorization", f"Bearer {self.token}"), ("X-Hdrive", "1"), ("Content-Length", str(1 << 40))):
            connection.putheader(name, value)
        connection.endheaders()
        self.assertEqual(413, connection.getresponse().status)
        connection.close()
        garbage = socket.create_connection(("127.0.0.1", self.url.port))
        self.addCleanup(garbage.close)
        garbage.sendall(b"\0\1\2 not http at all\r\n\r\n")
        self.assertIn(b" 400 ", garbage.recv(1000).partition(b"\r\n")[0])
        self.assertEqual(1, len(self.get("sweeps")["sweeps"]))

    def test_a_thousand_connections_are_served(self):
        self.config(QUICK, max_total_runs=1)
        self.hdrive("run")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 3000:
            self.skipTest("this machine lets a process have few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.serve()
        request = f"GET /api/v1/about HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        sockets = []
        for _ in range(1000):
            sockets.append(socket.create_connection(("127.0.0.1", self.url.port), timeout=support.DEADLINE))
            self.addCleanup(sockets[-1].close)
        for each in sockets:
            each.sendall(request)
        for each in sockets:
            self.assertTrue(each.recv(100).startswith(b"HTTP/1.1 200"))

    def test_other_machines_are_let_in_only_where_that_was_said(self):
        refused = self.hdrive("ui", "--host", "0.0.0.0", code=2)
        self.assertIn("--allow-remote", refused.err)
        self.assertIn("ssh -L", refused.err)
        server = self.serve("--host", "0.0.0.0", "--allow-remote")
        self.assertEqual([], self.get("sweeps")["sweeps"])
        self.interrupt(server)
        done = self.finish(server)
        self.assertEqual(0, done.code, done)
        self.assertIn("not encrypted", done.err)

    def test_a_port_that_is_taken_is_said(self):
        self.serve()
        refused = self.hdrive("ui", "--port", self.url.port, code=1)
        self.assertIn(f"another program listens at port {self.url.port}", refused.err)


if __name__ == "__main__":
    support.main_at_once()
