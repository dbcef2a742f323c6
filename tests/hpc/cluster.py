"""A SLURM cluster of two nodes on one machine, made of Debian's packages: the real thing, small.

All daemons run in the foreground as children of this process, in a folder of their own, on free
ports of the loopback interface, so that stopping them is ending children. The kernel ends them if
this process dies. Only slurm.conf stands elsewhere: jobs look for it in /etc/slurm.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client", "slurmdbd", "mariadb-server")
NODES = ("node1", "node2")
CPUS, MEMORY_MB = 4, 4000  # of a node, as declared; it may have less
CONFIGURATION = Path("/etc/slurm")
MARK = "# Written by the tests of memwave, which remove it at their end.\n"
CGROUPS = Path("/sys/fs/cgroup/memory")
PATIENCE = 60

SLURM_CONF = """\
ClusterName=memwave
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
# How long squeue knows a job that has ended.
MinJobAge=600
KillWait=5
# Jobs that may run at the same time go to different nodes.
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory,CR_LLN
# A node has the cores it is declared with, however few the machine has.
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
{limits}
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoreFlags=job_comment
AccountingStoragePass={folder}/munge.socket
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=ALL MaxTime=30 State=UP
"""
# The kernel ends a job that takes more memory than it asked for, page cache aside; where it
# cannot, SLURM looks once a second.
KERNEL_LIMITS = """\
ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup"""
POLLED_LIMITS = """\
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherParams=OverMemoryKill,NoShared"""
CGROUP_CONF = """\
CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
ConstrainRAMSpace=yes
ConstrainSwapSpace=no
AllowedRAMSpace=100
"""
SLURMDBD_CONF = """\
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql_port}
StorageUser=slurm
StoragePass={password}
StorageLoc=slurm
"""
INIT_SQL = """\
CREATE DATABASE slurm;
CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1';
"""


def lacking() -> str | None:
    """Why there can be no cluster on this machine; None if there can."""
    if os.geteuid() != 0:
        return "a SLURM cluster can only be started by root"
    if not all(map(shutil.which, ("apt-get", "dpkg-query", "setpriv"))):
        return "a SLURM cluster is installed with apt, which this machine does not have"
    foreign = [path for path in configuration_files() if not is_ours(path)]
    if foreign:
        return f"this machine has a SLURM of its own ({foreign[0]})"
    return None


def install() -> None:
    """Install what the cluster consists of, unless it is there."""
    query = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}\n", *PACKAGES]
    if run(query, check=False).split() == ["installed"] * len(PACKAGES):
        return
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], env=quietly, timeout=180)
    command = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *PACKAGES]
    run(command, env=quietly, timeout=300)


class Cluster:
    """A running cluster; a context manager that stops it.

    Parameters
    ----------
    folder : Path
        For state and logs of all daemons.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end_jobs()
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for path in configuration_files():
            if is_ours(path):
                path.unlink()
        for folder in sorted(CGROUPS.parent.glob("*/slurm_node*/**/"), reverse=True):
            folder.rmdir()

    def _start(self) -> None:
        ports = dict(zip(("ctld_port", "dbd_port", "sql_port"), free_ports(3), strict=True))
        values = ports | {
            "folder": self.folder,
            "host": socket.gethostname().split(".")[0],
            "password": secrets.token_hex(16),
            "nodes": "\n".join(map(node_line, NODES, free_ports(len(NODES)))),
            "limits": KERNEL_LIMITS if CGROUPS.is_dir() else POLLED_LIMITS,
        }
        self.folder.chmod(0o755)  # munge refuses a socket that others cannot reach
        CONFIGURATION.mkdir(exist_ok=True)
        write(CONFIGURATION / "slurm.conf", MARK + SLURM_CONF.format_map(values))
        write(CONFIGURATION / "cgroup.conf", MARK + CGROUP_CONF)
        write(CONFIGURATION / "slurmdbd.conf", MARK + SLURMDBD_CONF.format_map(values), mode=0o600)
        self._start_munge()
        self._start_database(ports["sql_port"], values["password"])
        self._daemon("slurmdbd", "-D")
        self._until(answers("sacctmgr", "--noheader", "show", "cluster"))
        run(["sacctmgr", "--immediate", "--quiet", "add", "cluster", "memwave"])
        self._daemon("slurmctld", "-D", "-c")
        self._until(answers("scontrol", "ping"))
        for node in NODES:
            self._daemon("slurmd", "-D", "-N", node)
        self._until(lambda: run(["sinfo", "-hN", "-t", "idle", "-p", "main"]).count("\n") == 2)

    def _start_munge(self) -> None:
        key, owned = self.folder / "munge.key", ("--force", "--foreground")
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        files = {"key-file": key, "socket": self.folder / "munge.socket"}
        files |= {name: self.folder / f"munge.{name}" for name in ("pid-file", "log-file")}
        files["seed-file"] = self.folder / "munge.seed"
        self._daemon("munged", *owned, *(f"--{name}={path}" for name, path in files.items()))
        self._until(answers("munge", "-n", "--socket", str(files["socket"])))

    def _start_database(self, port: int, password: str) -> None:
        data, start = self.folder / "mysql", self.folder / "init.sql"
        common = ["--no-defaults", "--user=root", f"--datadir={data}"]
        run(["mariadb-install-db", *common, "--skip-test-db"], timeout=120)
        write(start, INIT_SQL.format(password=password), mode=0o600)
        self._daemon(
            "mariadbd",
            *common,
            f"--socket={data}/socket",
            "--bind-address=127.0.0.1",
            f"--port={port}",
            "--skip-name-resolve",
            f"--init-file={start}",
            "--innodb-buffer-pool-size=64M",
            "--innodb-lock-wait-timeout=900",
        )
        log_in = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={port}", "--user=slurm"]
        self._until(answers(*log_in, f"--password={password}", "-e", "use slurm"))

    def _daemon(self, *command: str) -> None:
        """Start a daemon that ends with this process."""
        with open(self.folder / f"{'-'.join(command[:1] + command[2:3])}.out", "w") as log:
            child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._daemons.append(child)

    def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for a daemon; fail at once if one has ended."""
        until(condition, unless=self._ended)

    def _ended(self) -> str | None:
        for daemon in self._daemons:
            if daemon.poll() is not None:
                name = daemon.args[3]  # type: ignore[index]
                logs = [path.read_text()[-2000:] for path in self.folder.glob(f"{name}*.out")]
                return f"{name} ended: {''.join(logs)}"
        return None

    def _end_jobs(self) -> None:
        """Cancel every job, and wait until no process of one is left."""
        listed = subprocess.run(["squeue", "-h", "-o", "%A"], capture_output=True, text=True)
        if listed.returncode == 0 and listed.stdout.split():
            run(["scancel", *listed.stdout.split()], check=False)
            until(lambda: not run(["squeue", "-h"]))


def node_line(name: str, port: int) -> str:
    host = socket.gethostname().split(".")[0]
    return (
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
        f"CPUs={CPUS} RealMemory={MEMORY_MB} State=UNKNOWN"
    )


def configuration_files() -> list[Path]:
    names = ("slurm.conf", "cgroup.conf", "slurmdbd.conf")
    return [path for path in (CONFIGURATION / name for name in names) if path.exists()]


def is_ours(path: Path) -> bool:
    return path.read_text().startswith(MARK)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.touch(mode)
    path.chmod(mode)
    path.write_text(text)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def run(command: list[str], *, check: bool = True, timeout: float = PATIENCE, **options) -> str:
    """Run a command; return what it wrote to standard output."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    done = subprocess.run(command, text=True, timeout=timeout, **pipes)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr or ''}"[-8000:])
    return done.stdout


def answers(*command: str) -> Callable[[], bool]:
    """Whether a command succeeds now."""
    return lambda: subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 0


def until(
    condition: Callable[[], object],
    patience: float = PATIENCE,
    unless: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait for a condition; raise if it does not come true, or `unless` says what went wrong."""
    end = time.monotonic() + patience
    while not condition():
        failure = unless()
        if failure:
            raise RuntimeError(failure)
        if time.monotonic() > end:
            raise TimeoutError(f"still not so after {patience:.0f} s")
        time.sleep(0.2)
