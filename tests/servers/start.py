"""How each server is started: its files, its commands, and when it is ready. stop_all() of launch.py ends them."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from pathlib import Path

from install import fault_server, go_program, moto_python, s3proxy_jar
from launch import Ports, Program, ServerError, run_tool, wait_for_answer
from signed import S3

ACCESS_KEY = "testkey"
SECRET_KEY = "testsecret"


class Starter:
    """Starts the servers of one run. `programs` grows as they start, so that a failure half way leaves none."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self.programs: list[Program] = []

    def start(self, name: str, folder: Path) -> S3:
        """Starts that server with its files in an empty folder, and returns when it answers."""
        start = {
            "stepstore": self._stepstore,
            "moto": self._moto,
            "versitygw": self._versitygw,
            "ceph16": self._ceph,
            "minio": self._minio,
            "rclone": self._rclone,
            "gofakes3": self._gofakes3,
            "s3proxy": self._s3proxy,
        }[name]
        port = self._ports.take()
        # Nothing else of ours: proxies and the settings of other servers have no place in these.
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/bin:/sbin:/bin"
        start(folder, port, {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"})
        return S3(f"http://127.0.0.1:{port}", ACCESS_KEY, SECRET_KEY)

    def _program(
        self,
        command: list[str | Path],
        folder: Path,
        environment: dict[str, str],
        stop: signal.Signals = signal.SIGTERM,
    ) -> Program:
        log = folder / f"{Path(command[0]).name}.log"
        program = Program(command, log, environment, stop)
        self.programs.append(program)
        return program

    def _stepstore(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        program = fault_server()
        assert program is not None  # as missing() has said
        wait_for_answer([self._program([program, "--port", str(port)], folder, environment)], port, seconds=30)

    def _moto(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        command: list[str | Path] = [moto_python(), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        wait_for_answer([self._program(command, folder, environment)], port, seconds=60)

    def _versitygw(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        root, versions = folder / "root", folder / "versions"
        root.mkdir()
        versions.mkdir()
        try:
            os.setxattr(root, "user.stepstore", b"")
        except OSError as error:
            raise ServerError(
                f"versitygw keeps metadata in extended attributes, which {folder} does not have ({error.strerror}); "
                "set TMPDIR to a folder that has them (ext4, xfs, btrfs)"
            ) from None
        # Without --keep-alive it closes the connection after every answer.
        options = ["--port", f"127.0.0.1:{port}", "--access", ACCESS_KEY, "--secret", SECRET_KEY, "--keep-alive"]
        backend: list[str | Path] = ["posix", "--versioning-dir", versions, root]
        command = [go_program("versitygw"), *options, "--quiet", *backend]
        wait_for_answer([self._program(command, folder, environment)], port, seconds=30)

    def _minio(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        """Four folders, as if they were disks: with one alone it has no versions."""
        for number in range(1, 5):
            (folder / f"d{number}").mkdir()
        environment = environment | {
            "MINIO_ROOT_USER": ACCESS_KEY,
            "MINIO_ROOT_PASSWORD": SECRET_KEY,
            "MINIO_BROWSER": "off",
            "CI": "true",  # it takes folders of one disk then
            "MINIO_CI_CD": "1",
        }
        address = ["--quiet", "--address", f"127.0.0.1:{port}"]
        command: list[str | Path] = [go_program("minio"), "server", *address, f"{folder}/d{{1...4}}"]
        program = self._program(command, folder, environment)
        wait_for_answer([program], port, seconds=60, path="/minio/health/cluster", status=200)

    def _rclone(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        (folder / "root").mkdir()
        options = ["--config", folder / "rclone.conf", "--addr", f"127.0.0.1:{port}"]
        options += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off"]
        command: list[str | Path] = [go_program("rclone"), "serve", "s3", *options, folder / "root"]
        wait_for_answer([self._program(command, folder, environment)], port, seconds=30)

    def _gofakes3(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        options = ["-backend", "memory", "-host", f"127.0.0.1:{port}", "-autobucket=false"]
        command: list[str | Path] = [go_program("gofakes3"), *options]
        wait_for_answer([self._program(command, folder, environment)], port, seconds=30)

    def _s3proxy(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        (folder / "root").mkdir()
        settings = {
            "s3proxy.endpoint": f"http://127.0.0.1:{port}",
            "s3proxy.authorization": "aws-v2-or-v4",
            "s3proxy.identity": ACCESS_KEY,
            "s3proxy.credential": SECRET_KEY,
            "jclouds.provider": "filesystem-nio2",
            "jclouds.filesystem.basedir": str(folder / "root"),
            "jclouds.identity": "unused",
            "jclouds.credential": "unused",
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (folder / "s3proxy.conf").write_text(lines)
        java = shutil.which("java")
        assert java is not None  # as missing() has said
        command: list[str | Path] = [java, "-jar", s3proxy_jar(), "--properties", folder / "s3proxy.conf"]
        wait_for_answer([self._program(command, folder, environment)], port, seconds=60)

    def _ceph(self, folder: Path, port: int, environment: dict[str, str]) -> None:
        """One monitor, one storage daemon that keeps everything in memory, one gateway; no manager, which only counts.

        SIGKILL ends them: the gateway takes over a minute for SIGTERM, and nothing of theirs is to be kept.
        """
        environment = environment | {"CEPH_CONF": str(folder / "ceph.conf")}
        cluster, disk, monitor = str(uuid.uuid4()), str(uuid.uuid4()), f"[v2:127.0.0.1:{self._ports.take()}]"
        (folder / "ceph.conf").write_text(_ceph_settings(folder, cluster, monitor, port))
        for name in ("mon", "osd"):
            (folder / name).mkdir()

        def tool(log: str, *command: str | Path) -> None:
            run_tool(command, folder / f"{log}.log", environment, seconds=60)

        def daemon(*command: str | Path) -> Program:
            return self._program(list(command), folder, environment, stop=signal.SIGKILL)

        ring, everything = folder / "keyring", "allow *"
        tool(
            "keyring", "ceph-authtool", "--create-keyring", ring, "--gen-key", "-n", "mon.", "--cap", "mon", everything
        )
        for name in ("client.admin", "client.rgw", "osd.0"):
            caps = [word for part in ("mon", "osd", "mgr") for word in ("--cap", part, everything)]
            tool("keyring", "ceph-authtool", ring, "--gen-key", "-n", name, *caps)
        tool("monmap", "monmaptool", "--create", "--fsid", cluster, "--addv", "a", monitor, folder / "monmap")
        tool("mkfs-mon", "ceph-mon", "--mkfs", "-i", "a", "--monmap", folder / "monmap", "--keyring", ring)
        started = [daemon("ceph-mon", "-f", "-i", "a")]
        tool("osd-new", "ceph", "osd", "new", disk)
        tool("mkfs-osd", "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        started.append(daemon("ceph-osd", "-f", "-i", "0"))
        started.append(daemon("radosgw", "-f", "-n", "client.rgw"))
        wait_for_answer(started, port, seconds=120)
        user = ["--uid=test", "--display-name=test", f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"]
        tool("user", "radosgw-admin", "-n", "client.rgw", "user", "create", *user)


def _ceph_settings(folder: Path, cluster: str, monitor: str, port: int) -> str:
    """paxos_*: without them every pool that the gateway makes waits for a second.

    tcp_nodelay: without it a GET takes 45 ms.
    rgw_lc_debug_interval: a day of a lifecycle rule is that many seconds.
    """
    return f"""[global]
fsid = {cluster}
mon_host = {monitor}
ms_bind_msgr1 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
mon_data = {folder}/mon
osd_data = {folder}/osd
keyring = {folder}/keyring
log_file =
log_to_stderr = true
run_dir = {folder}
crash_dir = {folder}
pid_file =
admin_socket =
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_allow_pool_size_one = true
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = 8589934592
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_lc_debug_interval = 5
rgw_thread_pool_size = 64
rgw_dynamic_resharding = false
"""
