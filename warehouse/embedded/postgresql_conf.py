"""Configuration of the embedded server: the text of its postgresql.conf."""

import os
import shutil
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
# Tests log in thousands of times. The usual 4,096 rounds of hashing are most of the cost of a login.
TEST_SCRAM_ITERATIONS: Final = 1
_MEGABYTE: Final = 1024**2
# In bytes, or the word max.
_CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


def settings(port: int, *, durable: bool) -> str:
    """Return the file's text. It is written at every start, so that it follows the code; `alter system` adds to it."""
    buffers = buffers_mb(_memory_bytes()) if durable else 64
    values: dict[str, object] = {
        "listen_addresses": HOST,
        "port": port,
        # No socket file: its path may be too long. TCP has no such limit.
        "unix_socket_directories": "",
        "cluster_name": "warehouse",
        "shared_buffers": f"{buffers}MB",
        # The index on the keys of a million events is sorted in memory.
        "maintenance_work_mem": f"{max(buffers // 4, 64)}MB",
        "work_mem": "32MB",
        "max_wal_size": "2GB" if durable else "256MB",
        # Loads and publications switch it on for their transactions.
        "synchronous_commit": "off",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        # A statement over a year of day partitions with their indexes locks some 1,500 relations.
        "max_locks_per_transaction": 256,
        "shared_preload_libraries": "pg_stat_statements",
    }
    shared_memory = Path("/dev/shm")  # noqa: S108
    if shared_memory.exists() and shutil.disk_usage(shared_memory).total < 512 * _MEGABYTE:
        # Containers have 64 MB there by default, which a parallel hash join uses up and then fails.
        values["dynamic_shared_memory_type"] = "mmap"
    if os.uname().sysname == "Linux":
        values["recovery_init_sync_method"] = "syncfs"
    if not durable:
        values |= {
            "scram_iterations": TEST_SCRAM_ITERATIONS,
            "fsync": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": 0,
        }
    return "".join(f"{name} = '{value}'\n" for name, value in values.items())


def buffers_mb(memory_bytes: int) -> int:
    """Return an eighth of the memory, from 256 to 1,024 MB.

    A load reads the rows that it has written. With 1 GB a million events are still in the buffers.
    """
    return min(max(memory_bytes // (8 * _MEGABYTE), 256), 1_024)


def _memory_bytes() -> int:
    """Return the memory of the machine, or of the container where that has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):
        return machine
