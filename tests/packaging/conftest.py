"""The built distributions, and environments that have nothing but them."""

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside the checkout."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / "spandeck"

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(map(str, command)), cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )


def _checked(*command: str | Path) -> None:
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this checkout and the wheel built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    _checked(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """The wheel."""
    return next(distributions.glob("*.whl"))


@pytest.fixture(scope="session")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install spandeck`: what it downloads is OpenTelemetry."""
    environment = Environment(tmp_path_factory.mktemp("base"))
    _checked(sys.executable, "-m", "venv", environment.folder)
    _checked(environment.python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)
    return environment


@pytest.fixture(scope="session")
def server(wheel: Path, base: Environment, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """As `pip install 'spandeck[server]'`, with the packages that these tests run on instead of a download."""
    environment = Environment(tmp_path_factory.mktemp("server"))
    _checked(sys.executable, "-m", "venv", "--without-pip", environment.folder)
    pip = (base.python, "-m", "pip", "--python", environment.python)
    _checked(*pip, "install", "--quiet", "--no-deps", wheel)
    [site_packages] = (environment.folder / "lib").glob("python*/site-packages")
    # A .pth file adds a folder, but not what the .pth files in that folder name: the checkout stays out.
    (site_packages / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return environment
