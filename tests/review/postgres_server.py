"""A PostgreSQL server of the tests' own, which nobody else sees and that is gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

FAST = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60",
    "shared_buffers=32MB", "autovacuum=off",
)  # fmt: skip
HBA = """host all locked 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
"""The server trusts everybody but the user ``locked``."""


def programs():
    """The folder with initdb, pg_ctl and postgres; None where there is no server."""
    folders = [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def unprivileged():
    """Whom a server runs as where the tests run as root, which PostgreSQL refuses."""
    if os.geteuid():
        return {}
    for name in ("postgres", "nobody"):
        try:
            person = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and no other user is there")


class Server:
    """A running cluster; `url` of a database in it, for the user ``chest``."""

    def __init__(self, folder, bin_folder, port, runs_as):
        self.folder, self.bin, self.port, self.runs_as = folder, bin_folder, port, runs_as

    def url(self, database, user="chest"):
        return f"postgresql+psycopg://{user}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement, database="postgres"):
        """What a statement gives, asked without our own code, as the cluster's superuser."""
        import psycopg

        where = f"host=127.0.0.1 port={self.port} user=chest dbname={database}"
        with psycopg.connect(where, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        options += "".join(f" -c {one}" for one in FAST)
        self._control("-w", "-t", "60", "-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self):
        self._control("-w", "-m", "fast", "stop")

    def _control(self, *words):
        data = str(self.folder / "data")
        self._run(self.bin / "pg_ctl", "-s", "-D", data, *words)

    def _run(self, *words):
        # To a file, as a server that stays keeps a pipe open for ever.
        with (self.folder / "said").open("ab") as said:
            done = subprocess.run(
                [str(one) for one in words], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said, check=False, **self.runs_as,
            )  # fmt: skip
        if done.returncode:
            texts = [one.read_text() for one in self.folder.glob("[ls]*") if one.is_file()]
            raise RuntimeError(f"{words[0]} failed: {' '.join(texts)[-2000:]}")

    def make(self):
        self._run(
            self.bin / "initdb", "-D", self.folder / "data", "-U", "chest", "-A", "trust",
            "-E", "UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip
        (self.folder / "data" / "pg_hba.conf").write_text(HBA)


@contextmanager
def running():
    """A new cluster that runs meanwhile."""
    # Not among pytest's folders, which only their owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="chest-pg-"))
    runs_as = unprivileged()
    if runs_as:
        os.chown(folder, runs_as["user"], runs_as["group"])
    server = Server(folder, programs(), free_port(), runs_as)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
