"""What the compiler and the linker put into the released programs against faults being used."""
import re
import subprocess

import pytest

from gateway import BINARY

PROGRAMS = [BINARY, f"{BINARY}-import"]


def said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin"}).stdout


def sanitized():
    return "libasan" in said("readelf", "-dW", BINARY)


@pytest.mark.parametrize("program", PROGRAMS, ids=["gateway", "import"])
def test_the_program_is_hardened(program):
    headers, dynamic = said("readelf", "-hlW", program), said("readelf", "-dW", program)
    assert re.search(r"Type:\s+DYN", headers) and re.search(r"FLAGS_1.*\bPIE\b", dynamic), "position independent"
    assert "GNU_RELRO" in headers and re.search(r"\bBIND_NOW\b", dynamic), "relocations are read-only once all are done"
    assert re.search(r"GNU_STACK\s.*\sRW\s", headers), "the stack is not executable"
    assert not re.search(r"LOAD\s.*\sRWE\s", headers) and "TEXTREL" not in dynamic
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
    if said("uname", "-m").strip() == "x86_64":
        assert "SHSTK" in said("readelf", "-nW", program), "the shadow stack may be on"


@pytest.mark.parametrize("program", PROGRAMS, ids=["gateway", "import"])
def test_the_code_is_hardened(program):
    imported = said("nm", "-D", "--undefined-only", program)
    assert "__stack_chk_fail" in imported, "-fstack-protector-strong"
    if not sanitized():
        assert re.search(r"__(snprintf|memcpy)_chk", imported), "_FORTIFY_SOURCE"
    if said("uname", "-m").strip() == "x86_64":
        code = said("objdump", "-d", "--no-show-raw-insn", program)
        main = re.search(r"<main>:\n\s*\w+:\s*(\w+)", code)
        assert main and main[1] == "endbr64", "-fcf-protection"
