"""What is left out without being asked: secrets always, and what nobody would search for unless told otherwise.

All names are lower case and compared so. Nothing here looks into a file; a name must be enough.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_FOLDERS = _words(
    ".ssh .gnupg .aws .azure .kube .password-store .mozilla .putty .git .hg .svn .bzr .jj .pijul _darcs cvs"
)
"""Keys, tokens, browser profiles, and version control (whose history holds whatever was ever committed)."""

_SECRET_FILES = _words(
    """
    .env .netrc _netrc .pgpass pgpass.conf .my.cnf .mylogin.cnf .git-credentials .npmrc .pypirc .htpasswd .vault-token
    .bash_history .zsh_history .sh_history .ksh_history .fish_history .python_history .psql_history .mysql_history
    .sqlite_history .rediscli_history .node_repl_history .irb_history .rhistory .lesshst .viminfo .wget-hsts
    consolehost_history.txt .xauthority .iceauthority .smbcredentials .s3cfg .boto .dockercfg .cloudflared
    cookies.sqlite key3.db key4.db cert8.db cert9.db logins.json logins-backup.json signons.sqlite formhistory.sqlite
    wallet.dat shadow shadow- gshadow gshadow- master.key credentials.tfrc.json .erlang.cookie
    """
) | {"login data", "login data for account", "web data"}

_SECRET_STARTS = (".env.", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "cookies.sqlite-", "ssh_host_")
_SECRET_ENDINGS = (
    ".pem", ".p12", ".pfx", ".kdb", ".kdbx", ".jks", ".keystore", ".ppk", ".ovpn", ".tfstate", ".tfstate.backup",
    ".keychain", ".keychain-db", ".agilekeychain", ".1pif", ".opvault", ".gpg-key", ".age-key", ".p8",
)  # fmt: skip
_KEY_BYTES = 32 * 1024
"""A `.key` file up to this size is taken for a private key; presentations with that ending (Keynote) are larger."""

_SECRET_PATHS = (
    ".docker/config.json", ".config/google-chrome", ".config/google-chrome-beta", ".config/chromium",
    ".config/bravesoftware", ".config/microsoft-edge", ".config/vivaldi", ".config/opera", ".config/gcloud",
    ".config/gh", ".config/op", ".config/rclone", ".config/sops", ".config/hub", ".config/doctl", ".config/age",
    ".local/share/keyrings", ".local/share/kwalletd", "library/keychains", "library/cookies",
    "application support/google", "application support/firefox", "application support/bravesoftware",
    "application support/chromium", "local/google/chrome", "local/microsoft/credentials", "roaming/mozilla",
    "local/bravesoftware", "microsoft/protect", ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials",
    ".m2/settings.xml", ".gradle/gradle.properties", "snap/firefox", "snap/chromium", ".composer/auth.json",
)  # fmt: skip
_SECRET_TAILS: dict[str, tuple[tuple[str, ...], ...]] = {
    last: tuple(tuple(path.split("/")) for path in _SECRET_PATHS if path.split("/")[-1] == last)
    for last in {path.split("/")[-1] for path in _SECRET_PATHS}
}

_DULL_FOLDERS = _words(
    "__pycache__ node_modules bower_components jspm_packages __macosx lost+found $recycle.bin $recycle"
) | {"system volume information"}
_DULL_FILES = frozenset(["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"])
_DULL_STARTS = ("~$", ".~lock.", "._")
_DULL_ENDINGS = (".swp", ".swo", ".swx", ".part", ".partial", ".crdownload", ".download", ".tmp", "~", ".pyc", ".pyo")

_BUILT: dict[str, frozenset[str]] = {
    "target": _words("cargo.toml pom.xml build.sbt"),
    "build": _words(
        "pyproject.toml setup.py package.json cmakelists.txt build.gradle build.gradle.kts pubspec.yaml meson.build"
    ),
    "dist": _words("pyproject.toml setup.py package.json"),
    "out": _words("package.json build.gradle build.gradle.kts"),
    "_build": _words("mix.exs dune-project conf.py"),
    "vendor": _words("go.mod composer.json gemfile"),
}
"""A folder of this name is the output or the dependencies of a build where one of these stands beside it."""

_CLOSED_BY = ("cachedir.tag", "pyvenv.cfg")
"""A folder that holds one of these is a cache (Cache Directory Tagging Specification 0.6) or a virtual environment."""

_HIDDEN_BUT_WANTED = _words(".github .gitlab")


def is_secret(path: Sequence[str], folder: bool, size: int = 0) -> bool:
    """Say whether what stands at a path may hold secrets and must never be read; no rule in the tree can undo this.

    `path` is its names from as far up as they are known; only its last name and what stands directly above it matter.

    >>> is_secret(["home", ".ssh"], True), is_secret(["a", "id_rsa.old"], False), is_secret(["talk.key"], False, 9**7)
    (True, True, False)
    """
    name = path[-1].lower()
    if name in _SECRET_TAILS and any(_ends(path, tail) for tail in _SECRET_TAILS[name]):
        return True
    if folder:
        return name in _SECRET_FOLDERS
    if name in _SECRET_FILES or name.startswith(_SECRET_STARTS) or name.endswith(_SECRET_ENDINGS):
        return True
    return name.endswith(".key") and size <= _KEY_BYTES


def _ends(path: Sequence[str], tail: tuple[str, ...]) -> bool:
    return tuple(part.lower() for part in path[-len(tail) :]) == tail


def is_dull(name: str, folder: bool, siblings: Collection[str] = ()) -> bool:
    """Say whether an entry is left out by default: hidden, a cache, a build's output, a temporary file.

    `siblings` are the lower-case names in the same folder. A `.bowerbirdignore` may bring it back by name (`!.notes/`).
    """
    low = name.lower()
    if low.startswith(".") and not (folder and low in _HIDDEN_BUT_WANTED):
        return True
    if folder:
        beside = _BUILT.get(low, frozenset())
        return low in _DULL_FOLDERS or low.endswith(".egg-info") or not beside.isdisjoint(siblings)
    return low in _DULL_FILES or low.startswith(_DULL_STARTS) or low.endswith(_DULL_ENDINGS)


def is_closed(names: Collection[str]) -> bool:
    """Say whether a folder with these (lower-case) names in it declares itself a cache or a virtual environment."""
    return any(name in names for name in _CLOSED_BY)
