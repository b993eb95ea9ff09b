"""One session for each habit of CONTRIBUTING.md; `nox -l` lists them."""

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["tests", "cpp", "lint", "types"]
nox.options.reuse_existing_virtualenvs = True

CPP_FILES = "git ls-files '*.hpp' '*.cpp' | xargs clang-format"


def install(session: nox.Session) -> None:
    session.install("-c", "constraints.txt", ".[dev]")


@nox.session
def tests(session: nox.Session) -> None:
    """Python tests that take seconds; arguments go to pytest."""
    install(session)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The tests marked slow."""
    install(session)
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session
def cpp(session: nox.Session) -> None:
    """C++ tests; a preset as argument (default debug, warnings are errors)."""
    preset = session.posargs[0] if session.posargs else "debug"
    session.install("-c", "constraints.txt", "cmake", "ninja", "pybind11")
    session.run("cmake", "--preset", preset)
    session.run("cmake", "--build", "--preset", preset)
    session.run("ctest", "--preset", preset)


@nox.session
def sanitizers(session: nox.Session) -> None:
    """C++ tests under ASan and UBSan, then under TSan."""
    session.install("-c", "constraints.txt", "cmake", "ninja")
    for preset in ("asan-ubsan", "tsan"):
        session.run("cmake", "--preset", preset)
        session.run("cmake", "--build", "--preset", preset)
        session.run("ctest", "--preset", preset)


# What the preset cross-<name> of CMakePresets.json needs, and the Debian packages it comes with.
CROSS = {
    "arm64": (("aarch64-linux-gnu-g++", "qemu-aarch64"), "g++-aarch64-linux-gnu qemu-user"),
    "windows": (("x86_64-w64-mingw32-g++-posix", "wine"), "g++-mingw-w64-x86-64-posix wine64 wine"),
}


@nox.session
def cross(session: nox.Session) -> None:
    """C++ tests for arm64 and Windows in emulators, portable kernels and the widest; a name as argument picks one."""
    session.install("-c", "constraints.txt", "cmake", "ninja")
    for name in session.posargs or CROSS:
        programs, packages = CROSS[name]
        if not all(map(shutil.which, programs)):
            session.warn(f"{name} is left out: Debian has what it needs in {packages}")
            continue
        preset = f"cross-{name}"
        session.run("cmake", "--preset", preset)
        session.run("cmake", "--build", "--preset", preset)
        for isa in ("portable", ""):
            session.run("ctest", "--preset", preset, env={"COFFEE_FAST_ISA": isa})


# What calls the compiled module most, and has been run so to its end; the rest of the suite is slow there, and much of
# it about text, command lines and processes.
CALLED = [f"tests/{kind}" for kind in ("core", "parity", "property", "determinism")]
CALLED += ["tests/unit/test_policies.py", "tests/unit/test_simulation.py"]
CALLED += [
    f"tests/unit/{room}"
    for room in (
        *("data", "empirical", "environments", "evaluation", "games", "meta_solvers", "models", "psro", "regularized"),
        *("self_play", "stage_games", "tabular", "teams"),
    )
]


@nox.session
def sanitized(session: nox.Session) -> None:
    """The Python module under ASan and UBSan; arguments go to pytest, in the place of the folders that call it most."""
    install(session)
    session.run("cmake", "--preset", "asan-ubsan-python")
    session.run("cmake", "--build", "--preset", "asan-ubsan-python")
    build = Path("build/asan-ubsan-python").resolve()  # tests start processes in other folders
    shutil.copytree(
        "python/coffee_fast", build / "python/coffee_fast", ignore=shutil.ignore_patterns("*.so"), dirs_exist_ok=True
    )
    throwing_new = build / "throwing_new.so"
    source = "cpp/tests/sanitized/throwing_new.cpp"
    session.run("g++", "-std=c++20", "-g", "-shared", "-fPIC", source, "-o", str(throwing_new), external=True)
    runtimes = [
        session.run("g++", f"-print-file-name={name}", external=True, silent=True).strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    # Reports go to files: a test of a process that is to fail would swallow them.
    reports = build / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    common = f"abort_on_error=1:log_path={reports}/report"
    environment = {
        "PYTHONPATH": str(build / "python"),
        "LD_PRELOAD": " ".join([str(throwing_new), *runtimes]),
        # Python itself leaks at its end; what asks for more memory than there is is told so.
        "ASAN_OPTIONS": f"{common}:detect_leaks=0:allocator_may_return_null=1:verify_asan_link_order=0",
        "UBSAN_OPTIONS": f"{common}:print_stacktrace=1",
    }
    tests = session.posargs or CALLED
    try:
        session.run("python", "-P", "-m", "pytest", "--timeout=3600", *tests, env=environment)
    finally:
        texts = [file.read_text(errors="replace") for file in sorted(reports.iterdir())]
        found = [text for text in texts if "ERROR: " in text or "runtime error: " in text]
        if found:
            session.error("\n".join(found))


@nox.session
def soak(session: nox.Session) -> None:
    """Campaigns against faults, from where they were left, then docs/reliability.md; ``-- kills --minutes 60``, say."""
    install(session)
    session.run("python", "-m", "tests.soak", "run", *session.posargs, success_codes=[0, 1])
    session.run("python", "-m", "tests.soak", "report")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff and clang-format, as checks."""
    session.install("-c", "constraints.txt", "ruff", "clang-format")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("bash", "-c", f"{CPP_FILES} --dry-run --Werror", external=True)


@nox.session(name="format")
def format_(session: nox.Session) -> None:
    """ruff and clang-format, as changes."""
    session.install("-c", "constraints.txt", "ruff", "clang-format")
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")
    session.run("bash", "-c", f"{CPP_FILES} -i", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict."""
    install(session)
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, strict, in build/site; ``serve`` as argument shows it while it is written."""
    session.install("-c", "constraints.txt", "latex2mathml", "mkdocs-material", "mkdocstrings[python]")
    session.run("mkdocs", *(session.posargs or ["build"]))


@nox.session
def notebooks(session: nox.Session) -> None:
    """The notebooks of examples/, run anew in place, outputs and all."""
    install(session)
    session.install("-c", "constraints.txt", "nbconvert", "ipykernel")
    files = sorted(map(str, Path("examples/notebooks").glob("*.ipynb")))
    session.run("jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace", *files)


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks, the slow ones too, then the tables of bench/README.md; arguments go to pytest."""
    install(session)
    session.install("-c", "constraints.txt", "rltools")  # a rival: C++ headers, built with OpenBLAS if that is there
    session.run("python", "-m", "pytest", "bench", "-m", "", "--benchmark-json=bench/latest.json", *session.posargs)
    session.run("python", "bench/report.py", "bench/latest.json")
