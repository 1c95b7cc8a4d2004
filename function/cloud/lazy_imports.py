"""Imports that load nothing until they are used: most of what the SDK imports no call of ours ever touches.

While the SDK is imported, all of these are `_Lazy`: the import succeeds and nothing is loaded. Whoever
really uses one later gets the real thing then, or, where it is not installed (it is left out of the
artifact), Python's own ModuleNotFoundError. No file of a dependency is changed or copied.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_ECS_MODELS = "alibabacloud_ecs20140526.models"
"""Lazy itself; its submodules, one per model, are loaded by their names."""

UNUSED = frozenset(
    {
        "aiohttp",  # asynchronous calls
        "alibabacloud_credentials",  # looks for a key in a dozen places; ours is given
        "asyncio",
        "charset_normalizer",  # guesses in what a text may be written that doesn't say so; ECS's JSON does
        "cryptography",  # signatures by RSA key pair
        "idna",  # names of hosts that are not ASCII
        "websocket",
        "xml",  # answers of other APIs; ECS's, STS's and FC's are JSON
    }
)


class _Lazy(ModuleType):
    """A module that is loaded when something in it is used, not when it is imported."""

    def __getattr__(self, name: str) -> object:
        """Give a `_LazyName` while this stands in for the module in `sys.modules`, then the real one."""
        if name.startswith("__"):
            raise AttributeError(name)  # the import system asks for what no module has to have
        if sys.modules.get(self.__name__) is self:
            return _LazyName(self, name)
        # As in `from package import name`, which also finds a submodule.
        return getattr(__import__(self.__name__, fromlist=[name]), name)


class _LazyName:
    """What `from module import name` gives for a lazy module; calls and attributes reach the real one."""

    def __init__(self, module: _Lazy, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *args: object, **kwargs: object) -> object:
        return getattr(self._module, self._name)(*args, **kwargs)

    def __getattr__(self, name: str) -> object:
        return getattr(getattr(self._module, self._name), name)


class _Finder:
    """Finds and loads `_Lazy` modules in place of those that nobody in this process has loaded.

    Without `importlib.abc` for its bases: that import alone takes 5 % of the SDK's.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root = fullname.partition(".")[0]
        if fullname.rpartition(".")[2].startswith("__"):
            return None  # a name such as `__version__`, which is no module
        if fullname == _ECS_MODELS:
            real = PathFinder.find_spec(fullname, path, target)
            places = (real and real.submodule_search_locations) or []
        elif root in UNUSED and isinstance(sys.modules.get(root, _Lazy(root)), _Lazy):
            places = []
        else:
            return None
        spec = ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]  # a Loader by its methods
        spec.submodule_search_locations = places
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Lazy(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Skip the module empty."""


@contextmanager
def importing_lazily() -> Iterator[None]:
    """Import these modules lazily inside the block; afterwards every import in the process is as ever."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _Lazy)]:
            del sys.modules[name]
            package, _, child = name.rpartition(".")
            if package in sys.modules:
                vars(sys.modules[package]).pop(child, None)  # where `from package import child` looks first
