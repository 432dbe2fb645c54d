"""A small hub on loopback: the routes that huggingface_hub and datasets ask for, over data sets held in memory.

Start it with `with HubServer() as hub`, run clients in a subprocess with `hub.environment(...)`, because they read it
when they are imported, and look at `hub.repos` and `hub.asked`. One token may write, one may only read.
"""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

WRITER, READER = "hf_" + "w" * 34, "hf_" + "r" * 34
NAME = r"(?P<repo>[\w.-]+/[\w.-]+)"
ROUTES = [  # method, path, the handler's method
    ("GET", r"/", "answer_home"),
    ("GET", r"/api/whoami-v2", "answer_who"),
    ("POST", r"/api/validate-yaml", "answer_yaml"),
    ("POST", r"/api/repos/create", "answer_create"),
    ("GET", rf"/api/datasets/{NAME}(/revision/(?P<revision>[^/]+))?", "answer_info"),
    ("GET", rf"/api/datasets/{NAME}/tree/[^/]+(/(?P<path>.*))?", "answer_tree"),
    ("POST", rf"/api/datasets/{NAME}/paths-info/[^/]+", "answer_paths"),
    ("POST", rf"/api/datasets/{NAME}/preupload/[^/]+", "answer_preupload"),
    ("POST", rf"/datasets/{NAME}\.git/info/lfs/objects/batch", "answer_lfs"),
    ("PUT", r"/lfs/(?P<oid>\w+)", "answer_upload"),
    ("POST", rf"/api/datasets/{NAME}/commit/[^/]+", "answer_commit"),
    ("GET", rf"/datasets/{NAME}/resolve/[^/]+/(?P<path>.+)", "answer_file"),
]


@dataclass
class Repo:
    """A data set: its files, and whether the world may see it."""

    files: dict[str, bytes] = field(default_factory=dict)
    private: bool = False

    @property
    def sha(self) -> str:
        """A name of this state of the files, as a commit has."""
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()


class HubServer(ThreadingHTTPServer):
    """The hub: `repos` by name, `asked` with every request's method and path; all about a name in `broken` fails so."""

    daemon_threads = True

    def __init__(self, repos: dict[str, Repo] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos, self.asked, self.lfs, self.broken = repos or {}, [], {}, {}
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()

    def environment(self, home: Path, token: str | None = WRITER) -> dict[str, str]:
        """What a client's process needs in its environment to use this hub and nothing of the person who runs it."""
        own = {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        return {**own, "HF_HUB_DISABLE_PROGRESS_BARS": "1", **({"HF_TOKEN": token} if token else {})}


class Handler(BaseHTTPRequestHandler):
    """One request: find the route, check the right, answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {url.path}")
        for name, status in self.server.broken.items():
            if name in url.path or name.partition("/")[2].encode() in self.content:
                return self.send(
                    status, {"error": "broken"}, **({"X_Error_Code": "GatedRepo"} if status == 403 else {})
                )
        method = "GET" if self.command == "HEAD" else self.command
        for wanted, pattern, name in ROUTES:
            if method == wanted and (match := re.fullmatch(pattern, unquote(url.path))):
                return getattr(self, name)(**match.groupdict())
        return self.send(404, {"error": f"no route for {self.command} {url.path}"})

    do_HEAD = do_POST = do_PUT = do_GET

    def send(self, status: int, answer: object = None, **headers: str) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass

    def user(self) -> str | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return {WRITER: "ada", READER: "bob"}.get(token)

    def found(self, repo: str) -> Repo | None:
        """The data set, or None and an answer that it is not there, as for a private one of somebody else."""
        known = self.server.repos.get(repo)
        if known is None or (known.private and self.user() != "ada"):
            status = 404 if self.user() else 401
            return self.send(status, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        return known

    def may_write(self) -> bool:
        if self.user() == "ada":
            return True
        status = 403 if self.user() else 401
        self.send(status, {"error": "no right"}, X_Error_Message="You don't have the rights to do this")
        return False

    def answer_home(self) -> None:
        self.send(200, {})

    def answer_who(self) -> None:
        self.send(200, {"name": self.user(), "type": "user"}) if self.user() else self.send(401, {"error": "who?"})

    def answer_yaml(self) -> None:
        self.send(200, {"errors": [], "warnings": []})

    def answer_create(self) -> None:
        asked = json.loads(self.content)
        if not self.may_write():
            return
        name = f"{asked.get('organization') or 'ada'}/{asked['name']}"
        status = 409 if name in self.server.repos else 200
        private = asked.get("private") or asked.get("visibility") == "private"
        self.server.repos.setdefault(name, Repo(private=bool(private)))
        self.send(status, {"url": f"{self.server.url}/datasets/{name}", "name": name, "id": name})

    def answer_info(self, repo: str, revision: str | None) -> None:
        if known := self.found(repo):
            siblings = [{"rfilename": path} for path in sorted(known.files)]
            about = {"id": repo, "sha": known.sha, "private": known.private, "siblings": siblings, "tags": []}
            self.send(200, {**about, "lastModified": "2026-01-01T00:00:00.000Z", "downloads": 0, "likes": 0})

    def answer_tree(self, repo: str, path: str | None) -> None:
        if known := self.found(repo):
            inside = {p: c for p, c in known.files.items() if not path or p.startswith(path + "/")}
            if path and not inside:
                return self.send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
            folders = {str(parent) for p in inside for parent in Path(p).parents if str(parent) not in (".", path)}
            entries = [{"type": "directory", "path": p, "oid": "0" * 40, "size": 0} for p in sorted(folders)]
            return self.send(200, entries + [entry(p, content) for p, content in sorted(inside.items())])
        return None

    def answer_paths(self, repo: str) -> None:
        if known := self.found(repo):
            text = self.content.decode()
            asked = json.loads(text)["paths"] if text.startswith("{") else re.findall(r"paths=([^&]*)", unquote(text))
            asked = [asked] if isinstance(asked, str) else asked
            self.send(200, [entry(p, known.files[p]) for p in asked if p in known.files])

    def answer_preupload(self, repo: str) -> None:
        if self.found(repo) and self.may_write():
            files = [file["path"] for file in json.loads(self.content)["files"]]
            modes = {path: "lfs" if path.endswith(".parquet") else "regular" for path in files}
            self.send(200, {"files": [{"path": p, "uploadMode": m, "shouldIgnore": False} for p, m in modes.items()]})

    def answer_lfs(self, repo: str) -> None:
        if self.may_write():
            wanted = json.loads(self.content)["objects"]
            place = {each["oid"]: {"upload": {"href": f"{self.server.url}/lfs/{each['oid']}"}} for each in wanted}
            self.send(
                200, {"transfer": "basic", "objects": [{**each, "actions": place[each["oid"]]} for each in wanted]}
            )

    def answer_upload(self, oid: str) -> None:
        self.server.lfs[oid] = self.content
        self.send(200, {})

    def answer_commit(self, repo: str) -> None:
        known = self.found(repo)
        if not known or not self.may_write():
            return
        for line in map(json.loads, self.content.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                known.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                known.files[value["path"]] = self.server.lfs[value["oid"]]
        self.send(200, {"commitUrl": f"{self.server.url}/datasets/{repo}/commit/{known.sha}", "commitOid": known.sha})

    def answer_file(self, repo: str, path: str) -> None:
        if not (known := self.found(repo)):
            return None
        if path not in known.files:
            return self.send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
        content = known.files[path]
        headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Repo-Commit": known.sha,
            "Accept-Ranges": "bytes",
        }
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            return self.send(206, content[first : last + 1], **headers)
        return self.send(200, content, **headers)


def entry(path: str, content: bytes) -> dict:
    """A file as the hub lists it."""
    return {"type": "file", "path": path, "oid": hashlib.sha1(content).hexdigest(), "size": len(content)}
