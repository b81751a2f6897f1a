#!/usr/bin/env python3
"""demo_app.py PORT BASE TOKEN CLIENT_ID - a developer's app, as small as can be:
it sends the person to the system search and shows what arrived."""
import html
import json
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, BASE, TOKEN, CLIENT = int(sys.argv[1]), *sys.argv[2:5]
TYPES = ("Patient Condition Observation MedicationRequest AllergyIntolerance "
         "Immunization Procedure Encounter DiagnosticReport DocumentReference "
         "Coverage ExplanationOfBenefit").split()
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Demo app</title>
<style>body{font:17px/1.5 system-ui;max-width:38rem;margin:3rem auto;padding:0 1rem}
a.button{background:#0b6e6e;color:#fff;padding:.7rem 1.2rem;border-radius:.5rem;text-decoration:none}
td{padding:.15rem 1rem .15rem 0}.bad{color:#a33}</style>
<h1>Demo app</h1>%s</html>"""


def fhir(path):
    request = urllib.request.Request(
        BASE + path, headers={"Authorization": "Bearer " + TOKEN})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except OSError:
        return {}


def counts():
    rows = []
    for version in ("r4", "stu3", "dstu2"):
        for name in TYPES:
            total = fhir(f"/{version}/{name}?_count=1").get("total", 0)
            if total:
                rows.append(f"<tr><td>{version}</td><td>{name}</td><td>{total}</td></tr>")
    if not rows:
        return "<p>Nothing has arrived yet; reload in a moment.</p>"
    return "<h2>The record so far</h2><table>" + "".join(rows) + "</table>"


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        asked = dict(urllib.parse.parse_qsl(url.query))
        said = ""
        if url.path == "/callback" and asked.get("success") == "true":
            said = "<p>Connected. The record is being collected.</p>"
        elif url.path == "/callback":
            said = ('<p class="bad">Not connected: '
                    + html.escape(asked.get("error", "unknown")) + "</p>")
        search = f"{BASE}/search?" + urllib.parse.urlencode(
            {"access_token": TOKEN, "client_id": CLIENT})
        body = (said + counts() + f'<p><a class="button" href="{html.escape(search)}">'
                "Connect a health system</a></p>")
        text = (PAGE % body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), App).serve_forever()
