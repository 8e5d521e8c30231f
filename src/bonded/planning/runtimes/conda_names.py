"""What conda's names mean on a package index: reviewed by hand, and grown when a file needs it."""

from __future__ import annotations

import re

#: conda's name -> the distribution it installs.
RENAMED = {
    "brotli-python": "brotli",
    "dask-core": "dask",
    "docker-py": "docker",
    "fastapi-core": "fastapi",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "nbconvert-core": "nbconvert",
    "numpy-base": "numpy",
    "opencv": "opencv-python",
    "py-lief": "lief",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "pyarrow-core": "pyarrow",
    "pytables": "tables",
    "python-annoy": "annoy",
    "python-blosc": "blosc",
    "python-build": "build",
    "python-confluent-kafka": "confluent-kafka",
    "python-duckdb": "duckdb",
    "python-eccodes": "eccodes",
    "python-fastjsonschema": "fastjsonschema",
    "python-flatbuffers": "flatbuffers",
    "python-graphviz": "graphviz",
    "python-isal": "isal",
    "python-kaleido": "kaleido",
    "python-libarchive-c": "libarchive-c",
    "python-librt": "librt",
    "python-lmdb": "lmdb",
    "python-tzdata": "tzdata",
    "python-xxhash": "xxhash",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
}

#: Distributions whose conda name looks as if it were another one, and is not.
SAME = frozenset(
    """absl-py azure-core azureml-core docker-pycreds flit-core google-api-core
    google-cloud-core interpret-core jupyter-core langchain-core llama-index-core markdown-it-py
    nvidia-ml-py opencensus-python poetry-core py-cpuinfo py4j pydantic-core python-crfsuite
    python-daemon python-dateutil python-discovery python-docx python-dotenv python-editor
    python-engineio python-gitlab python-gnupg python-http-client python-igraph python-jose
    python-json-logger python-jsonrpc-server python-ldap python-levenshtein python-logstash
    python-louvain python-lsp-black python-lsp-jsonrpc python-lsp-server python-magic
    python-mimeparse python-multipart python-pptx python-rapidjson python-slugify python-snappy
    python-socketio python-stdnum python-utils pytorch-ignite pytorch-lightning
    pytorch-metric-learning rgf-python rpds-py""".split()
)

#: Installs no distribution of that name: compiled libraries, programs, data, and conda's own
#: bundles. Many are names of other projects on a package index.
NATIVE = frozenset(
    """abseil-cpp adwaita-icon-theme alsa-lib aom arpack arrow-cpp at-spi2-atk at-spi2-core atk
    atk-1.0 attr backports bash binutils blas blosc boost brotli brotli-bin brunsli bwidget bzip2
    c-ares c-blosc2 c-compiler ca-certificates cairo ccache cfitsio charls cmake cmdstan compilers
    conda-standalone cpython cuda cuda-cudart cuda-nvcc cuda-nvrtc cuda-nvtx cuda-version
    cudatoolkit cudnn curl cxx-compiler cyrus-sasl dal dav1d dbus double-conversion eigen elfutils
    epoxy expat ffmpeg fftw flatbuffers fmt font-ttf-ubuntu fontconfig freetds freetype freexl
    fribidi gcc gdal-data gdk-pixbuf geos get_terminal_size gettext gflags gh giflib git git-lfs
    glib glib-tools glog glpk gmp gnutls gobject-introspection gperftools graphite2 graphviz gsl
    gst-plugins-base gstreamer gtest gtk2 gtk3 gts gxx harfbuzz hdf4 hdf5 hicolor-icon-theme icu
    intel-openmp jansson jpeg jq json-c jsonschema-with-format-nongpl jxrlib kernel-headers_linux-64
    keyutils krb5 lame lcms2 ld_impl_linux-64 leptonica lerc level-zero llvm-openmp lmdb lz4-c lzo
    magma make metis mkl mkl-devel mkl-include mpc mpfr mpg123 mpi mpich mysql mysql-common
    mysql-libs nccl ncurses nettle nodejs ninja ninja-base nlohmann_json nomkl nspr nss numactl
    ocl-icd oniguruma openblas opencl-headers openh264 openjdk openjpeg openldap openmpi openssl
    orc p11-kit p7zip pandoc pango patch patchelf path.py pcre pcre2 perl pigz pixman pkg-config
    poppler poppler-data postgresql proj pthread-stubs pulseaudio-client pybind11-abi
    pybind11-global pypy python python-gil python_abi pytorch-cuda pytorch-mutex pywin32-on-windows
    qhull qt qt-main qt-webengine qt6-main r-base rdma-core re2 readline reproc rhash ripgrep
    ruamel_yaml s2n scotch sdl2 sleef snappy spdlog sphinxcontrib sqlite suitesparse svt-av1 tbb
    tbb-devel tesseract tini tk tzdata ucx unixodbc unzip utf8proc uvicorn-standard wayland wget
    x264 x265 xerces-c xkeyboard-config xxhash xz yaml zeromq zfp zip zlib zlib-ng zope
    zstd""".split()
)

#: Python distributions whose build string does not say so: bundles beside the real package.
PYTHON = frozenset(
    """cached-property cached_property email-validator email_validator fastapi importlib-metadata
    importlib-resources importlib_metadata importlib_resources lightgbm mlflow-skinny opt-einsum
    opt_einsum prompt-toolkit prompt_toolkit seaborn typing-extensions typing_extensions
    cuda-bindings cuda-core cuda-pathfinder cuda-python libcst librosa libmambapy libsass libtmux
    libusb1 libvirt-python""".split()
)

#: Where the version conda gives is the date of a bundle, not that of the distribution.
DATED = frozenset("azure-identity azure-keyvault azure-storage msal msal-extensions msrest".split())

_NATIVE = re.compile(
    r"_.*|lib.*|xorg-.*|xcb-.*|aws-(?:c-|checksums|crt-cpp|sdk-cpp).*|font-ttf-.*|fonts-.*"
    r"|.*_(?:linux|osx|win)-(?:64|aarch64|ppc64le|arm64)|.*-cpp|r-.*|pulseaudio-.*|.*-mutex"
    r"|cuda-.*|perl-.*"
)
_BUILT_FOR_PYTHON = re.compile(r"(?:^|_)(?:pypy|py|cp3)", re.ASCII)
_AFFIXED = re.compile(r"(?:python|py|pytorch)[-_].*|.*[-_](?:python|py|base|core)")


def on_index(name: str, version: str) -> str:
    """The name on a package index of what conda calls `name`."""
    if name == "pyqt":
        return f"pyqt{version.partition('.')[0]}"
    return RENAMED.get(name, name)


def native(name: str, build: str | None) -> bool | None:
    """Whether conda's `name` installs no Python distribution; None if nothing tells."""
    if name in NATIVE:
        return True
    if name in PYTHON or name in RENAMED or (build and _BUILT_FOR_PYTHON.search(build)):
        return False
    if _NATIVE.fullmatch(name):
        return True
    # A build string is the hash of what the package was linked with.
    return True if build else None


def unmapped(name: str) -> bool:
    """Whether the name looks like one that conda alone uses, and nobody has looked yet."""
    plain = name.replace("_", "-")
    return bool(_AFFIXED.fullmatch(plain)) and plain not in SAME and name not in RENAMED
