"""A seccomp filter (seccomp(2), Linux 3.5): no sockets, no processes, no signals to others, no new namespaces.

It lists what is denied, not what is allowed, because native parsers differ in what they need; Landlock and the limits
bound the rest. System call numbers are those of the Linux headers for x86-64 and arm64.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_DENIED: dict[str, tuple[int, int]] = {  # name: (x86-64, arm64); -1 where the architecture has none
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "bind": (49, 200), "listen": (50, 201),
    "accept4": (288, 242), "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "setpgid": (109, 154), "setsid": (112, 157), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140),
    "pivot_root": (155, 41), "chroot": (161, 51), "mount": (165, 40), "umount2": (166, 39), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161), "init_module": (175, 105),
    "delete_module": (176, 106), "finit_module": (313, 273), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "unshare": (272, 97),
    "setns": (308, 268), "perf_event_open": (298, 241), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "bpf": (321, 280), "userfaultfd": (323, 282), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "pidfd_send_signal": (424, 424), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "mount_setattr": (442, 442),
}  # fmt: skip
_MACHINES = {"x86_64": 0, "aarch64": 1}
_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_CLONE, _CLONE3, _KILL, _TGKILL, _PRLIMIT, _PRCTL = (56, 220), (435, 435), (62, 129), (234, 131), (302, 261), (157, 167)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # classic BPF: ld [k], jeq, jge, jset, ret
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data (low half of the argument)
_CLONE_THREAD, _X32 = 0x00010000, 0x40000000
_PR_SET_SECCOMP, _PR_SET_PDEATHSIG, _MODE_FILTER = 22, 1, 2


def supported() -> bool:
    """Say whether the system call numbers of this machine are known."""
    return platform.system() == "Linux" and platform.machine() in _MACHINES


def install(libc: ctypes.CDLL, pid: int) -> bool:
    """Put the filter on this process, whose id is `pid`; PR_SET_NO_NEW_PRIVS must be set. False where it is refused."""
    if not supported():
        return False
    code = _program(_MACHINES[platform.machine()], pid)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.c_char_p(program), 0, 0) == 0)


def _program(column: int, pid: int) -> bytes:
    deny = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT_ARCH[column]),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        steps += [(_AT_LEAST, 0, 1, _X32), deny]
    for numbers in _DENIED.values():
        if numbers[column] >= 0:
            steps += [(_EQUAL, 0, 1, numbers[column]), deny]
    # clone3 hides its flags behind a pointer; the C library falls back to clone where it is "not implemented".
    steps += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    steps += _unless(_CLONE[column], [(_ANY_BIT, 0, 1, _CLONE_THREAD)])
    for numbers in (_KILL, _TGKILL):
        steps += _unless(numbers[column], [(_EQUAL, 0, 1, pid)])
    steps += _unless(_PRLIMIT[column], [(_EQUAL, 1, 0, 0), (_EQUAL, 0, 1, pid)])
    steps += [(_EQUAL, 0, 3, _PRCTL[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_EQUAL, 0, 1, _PR_SET_PDEATHSIG), deny]
    steps += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("@HBBI", *step) for step in steps)


def _unless(number: int, tests: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Deny a call unless a test on its first argument holds; the last test jumps over `allow` where it does not."""
    body = [(_LOAD, 0, 0, _FIRST_ARGUMENT), *tests, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    return [(_EQUAL, 0, len(body), number), *body]
