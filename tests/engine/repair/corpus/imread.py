# ruff: noqa: E501 - a program is one line of this table
"""Programs that use an image that `cv2.imread` did not read. OpenCV is a stand-in with its contract and its messages."""

from __future__ import annotations

from tests.engine.repair.corpus.program import Program, program, spared

PRELOAD = ("numpy",)
CV2 = """import numpy as np

IMREAD_UNCHANGED, IMREAD_GRAYSCALE, IMREAD_COLOR = -1, 0, 1
COLOR_BGR2RGB, COLOR_BGR2GRAY = 4, 6


class error(Exception):
    pass


def imdecode(buf, flags):
    if not bytes(buf).startswith(b"IMG"):
        return None
    return np.zeros((2, 3) if flags == 0 else (2, 3, 3), np.uint8)


def imread(filename, flags=IMREAD_COLOR):
    if not str(filename).isascii():  # as on a system whose code page lacks the character
        return None
    try:
        return imdecode(np.fromfile(str(filename), np.uint8), flags)
    except OSError:
        return None


def _needed(image, function):
    if image is None:
        raise error(f"OpenCV(4.10.0) /io/opencv/modules/imgproc/src/color.cpp:196: error: (-215:Assertion failed) !_src.empty() in function '{function}'")
    return image


def cvtColor(image, code):
    return _needed(image, "cvtColor")[..., 0] if code == 6 else _needed(image, "cvtColor")


def resize(image, size):
    return _needed(image, "resize")[: size[1], : size[0]]


def imwrite(path, image):
    return bool(_needed(image, "imwrite").size)


class VideoCapture:
    def __init__(self, name):
        pass

    def read(self):
        return False, None
"""
F = {"cv2.py": CV2, "a.jpg": "IMG a", "b.jpg": "IMG b", "é.jpg": "IMG c", "bad.jpg": "", "t.jpg": "text"}
SIZES = "import app\nassert app.sizes(['a.jpg', 'gone.jpg', 'b.jpg', 't.jpg']) == [(2, 3), (2, 3)]"
FAILS = "import app\ntry:\n    app.{0}('gone.jpg')\nexcept FileNotFoundError as error:\n    assert 'gone.jpg' in str(error)\nelse:\n    assert 0\nassert app.{0}('a.jpg') is not None\nassert app.{0}('\\xe9.jpg') is not None"


def image(name: str, app: str, check: str, **more: object) -> Program:
    return program(name, app, check, files={**F, **more.pop("files", {})}, **more)  # type: ignore[dict-item]


def fails(name: str, app: str, function: str = "f", **more: object) -> Program:
    run = f"import app\napp.{function}('gone.jpg')"
    return image(name, app, FAILS.format(function), run=run, **more)


PROGRAMS: list[Program] = [
    fails("the shape", "import cv2\n\n\ndef f(path):\n    img = cv2.imread(path)  # BGR\n    h, w = img.shape[:2]\n    return w / h\n",
          after={"app.py": "import cv2\nimport numpy as np\n\n\ndef read_image(filename, flags=cv2.IMREAD_COLOR):\n    \"\"\"Read an image as cv2.imread does, whatever characters its path has: None where there is no image.\"\"\"\n    try:\n        data = np.fromfile(filename, dtype=np.uint8)\n    except OSError:\n        return None\n    image = cv2.imdecode(data, flags) if data.size else None\n    return cv2.imread(filename, flags) if image is None and data.size else image  # imread shows files cut short\n\n\ndef f(path):\n    img = read_image(path)  # BGR\n    if img is None:\n        raise FileNotFoundError(f\"cannot read image: {path}\")\n    h, w = img.shape[:2]\n    return w / h\n"}),
    fails("cv2 is imported further down", "import os\nimport numpy as np\nos.environ['OPENCV_LOG_LEVEL'] = 'FATAL'\nimport cv2\n\ndef f(path):\n    img = cv2.imread(path)\n    return img.shape\n"),
    fails("cv2 may be missing", "try:\n    import cv2\nexcept ImportError:\n    cv2 = None\n\ndef f(path):\n    img = cv2.imread(path)\n    return img.shape\n"),
    fails("imread is the last resort and its result is used", "import cv2\nimport numpy as np\n\ndef f(path):\n    try:\n        img = cv2.imdecode(np.fromfile(path + '.bak', np.uint8), 1)\n    except OSError:\n        img = cv2.imread(path)\n    return img.shape\n"),
    image("the path's name is the image's", "import cv2\n\ndef load(img):\n    return cv2.imread(img)\n\ndef width(img):\n    img = load(img)\n    return img.shape[1]\n", "import app\nassert app.width('\\xe9.jpg') == 3\ntry:\n    app.width('gone.jpg')\nexcept FileNotFoundError as error:\n    assert 'None' not in str(error)\nelse:\n    assert 0"),
    image("a test of what the name was before", "import cv2\n\ndef width(path, image=None):\n    if image is None:\n        image = cv2.imread(path)\n    return image.shape[1]\n", "import app\nassert app.width('\\xe9.jpg') == 3"),
    fails("cvtColor", "import cv2\nimport numpy as np\n\ndef f(path):\n    img = cv2.imread(path, cv2.IMREAD_COLOR)\n    return cv2.cvtColor(img, cv2.COLOR_BGR2RGB)\n"),
    fails("flags are kept", "import cv2 as cv\n\ndef f(p):\n    grey = cv.imread(p, flags=cv.IMREAD_GRAYSCALE)\n    return grey[0, 1] + 1\n"),
    fails("within a call", "import cv2\n\ndef f(path):\n    return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2GRAY)\n"),
    fails("within an expression", "import cv2\n\ndef f(path):\n    height = cv2.imread(str(path)).shape[0]\n    return height\n"),
    fails("imported by name", "from cv2 import imread\n\ndef f(path):\n    picture = imread(path)\n    return picture[0]\n"),
    fails("resize", "import cv2, os\n\ndef f(path):\n    im = cv2.imread(os.path.join('.', path))\n    small = cv2.resize(im, (2, 2))\n    return small\n"),
    fails("arithmetic", "import cv2\n\ndef f(path):\n    return 255 - cv2.imread(path)\n"),
    fails("division later", "import cv2\n\ndef f(path):\n    img = cv2.imread(path)\n\n    scaled = img / 255.0\n    return scaled\n"),
    fails("the loader is another function", "import cv2\n\ndef load(path):\n    return cv2.imread(path)\n\ndef f(path):\n    img = load(path)\n    return img.shape\n"),
    fails("the loader is inline", "import cv2\n\ndef load(path):\n    return cv2.imread(path)\n\ndef f(path):\n    return load(path).mean()\n"),
    fails("given to another function", "import cv2\n\ndef blur(image):\n    return image.copy()\n\ndef f(path):\n    image = cv2.imread(path)\n    return blur(image)\n"),
    fails("given inline to another function", "import cv2\n\ndef size(image):\n    return image.shape\n\ndef f(path):\n    return size(cv2.imread(path))\n"),
    fails("an attribute", "import cv2\n\nclass Photo:\n    def __init__(self, path):\n        self.path = path\n        self.image = cv2.imread(path)\n\n    def size(self):\n        return self.image.shape[:2]\n\ndef f(path):\n    return Photo(path).size()\n"),
    fails("a method loads it", "import cv2\n\nclass Loader:\n    def _read(self, path):\n        return cv2.imread(path)\n\n    def grey(self, path):\n        image = self._read(path)\n        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)\n\ndef f(p):\n    return Loader().grey(p)\n"),
    fails("sliced", "import cv2\n\ndef f(path):\n    image = cv2.imread(path)\n    crop = image[0:1, 0:1]\n    return crop\n"),
    fails("written again", "import cv2\n\ndef f(path):\n    image = cv2.imread(filename=path)\n    cv2.imwrite('o.jpg', image)\n    return 1\n"),
    fails("async", "import asyncio\nimport cv2\n\nasync def shape(path):\n    image = cv2.imread(path)\n    return image.shape\n\ndef f(path):\n    return asyncio.run(shape(path))\n"),
    image("one of a data set", "import cv2\n\nclass Dataset:\n    pass\n\nclass Photos(Dataset):\n    def __init__(self, paths):\n        self.paths = paths\n\n    def __len__(self):\n        return len(self.paths)\n\n    def __getitem__(self, index):\n        image = cv2.imread(self.paths[index])\n        return image.shape[:2]\n",
          "import app\nphotos = app.Photos(['a.jpg', 'gone.jpg'])\nassert [photos[0], photos[1]] == [(2, 3), (2, 3)]"),
    image("a loop", "import logging\n\nimport cv2\n\nlog = logging.getLogger(__name__)\n\n\ndef sizes(paths):\n    found = []\n    for path in paths:\n        image = cv2.imread(path)\n        found.append(image.shape[:2])\n    return found\n", SIZES),
    image("a comprehension", "import cv2\n\ndef sizes(paths):\n    return [cv2.imread(p).shape[:2] for p in paths]\n", SIZES),
    image("two loops", "import cv2\n\ndef sizes(paths):\n    images = [cv2.imread(p) for p in paths]\n    out = []\n    for image in images:\n        out.append(image.shape[:2])\n    return out\n", SIZES),
    image("appended", "import cv2\n\ndef sizes(paths):\n    images = []\n    for p in paths:\n        images.append(cv2.imread(p))\n    return [im.shape[:2] for im in images]\n", SIZES),
    image("a generator", "import cv2\n\ndef images(paths):\n    for path in paths:\n        yield path, cv2.imread(path)\n\ndef sizes(paths):\n    out = []\n    for path, image in images(paths):\n        out.append(image.shape[:2])\n    return out\n", SIZES),
    image("None is allowed", "import cv2\nfrom typing import Optional\n\ndef brightness(path: str) -> Optional[float]:\n    image = cv2.imread(path)\n    return image.mean()\n", "import app\nassert app.brightness('gone') is None and app.brightness('a.jpg') == 0"),
    image("the test says None", "import cv2\n\ndef width(path):\n    image = cv2.imread(path)\n    return image.shape[1]\n", "import app\nassert app.width('bad.jpg') is None and app.width('a.jpg') == 3", files={"test_app.py": "import app\n\ndef test_bad():\n    assert app.width('bad.jpg') is None\n"}),
    image("the test says ValueError", "import cv2\n\ndef width(path):\n    image = cv2.imread(path)\n    return image.shape[1]\n", "import app\ntry:\n    app.width('.')\nexcept ValueError:\n    pass", files={"test_app.py": "import app, pytest\n\ndef test_bad():\n    with pytest.raises(ValueError):\n        app.width('bad.jpg')\n"}),
    image("a path outside ASCII", "import cv2\n\ndef width(path):\n    image = cv2.imread(path)\n    return image.shape[1]\n", "import app\nassert app.width('\\xe9.jpg') == 3"),
    image("imread in another file", "from loading import load\n\ndef width(path):\n    image = load(path)\n    return image.shape[1]\n", "import app\nassert app.width('\\xe9.jpg') == 3", files={"loading.py": "import cv2\n\n\ndef load(path):\n    return cv2.imread(path, cv2.IMREAD_COLOR)\n"}, touches=("loading.py",)),
    image("one or the other", "import cv2\n\ndef width(path, grey=False):\n    image = cv2.imread(path, 0) if grey else cv2.imread(path)\n    return image.shape[1]\n", "import app\nassert app.width('\\xe9.jpg') == app.width('\\xe9.jpg', True) == 3"),
    image("two at once", "import cv2\n\ndef same(a, b):\n    x, y = cv2.imread(a), cv2.imread(b)\n    return x.shape == y.shape\n", "import app\nassert app.same('a.jpg', '\\xe9.jpg')"),
    image("in a condition", "import cv2\n\ndef tall(path):\n    if cv2.imread(path).shape[0] > 1:\n        return True\n    return False\n", "import app\nassert app.tall('\\xe9.jpg')"),
    image("the loop is in the caller", "import cv2\n\ndef load(path):\n    return cv2.cvtColor(cv2.imread(path), 4)\n\ndef sizes(paths):\n    out = []\n    for path in paths:\n        out.append(load(path).shape[:2])\n    return out\n", SIZES),
    image("tabs, CRLF, no last newline", "", "import app\nassert app.width('\\xe9.jpg') == 3", files={"app.py": b"import cv2\r\ndef width(path):\r\n\timage = cv2.imread(path)\r\n\treturn image.shape[1]"}),
    image("another image beside it", "import cv2\n\ndef pairs(paths, masks, bar):\n    found = []\n    for path, mask in zip(paths, masks):\n        image = cv2.imread(path)\n        size = image.shape[:2]\n        other = cv2.imread(mask, 0)\n        found.append((size, other.shape))\n        bar.append(1)\n    return found\n", "import app\nbar = []\nassert app.pairs(['a.jpg', 'gone.jpg', '\\xe9.jpg', 'b.jpg'], ['b.jpg', 'b.jpg', '\\xe9.jpg', 'gone.jpg'], bar) == [((2, 3), (2, 3))] * 2"),
    image("a property reads it", "import cv2\n\nclass Photo:\n    def __init__(self, path):\n        self.path = path\n\n    @property\n    def pixels(self):\n        return cv2.imread(self.path)\n\n    @property\n    def width(self):\n        return self.pixels.shape[1]\n\ndef f(path):\n    return Photo(path).width\n", FAILS.format("f"), run="import app\napp.f('gone.jpg')"),
    image("the project's own reader in the same file", "import cv2\nimport numpy as np\n\ndef imread(path):\n    return cv2.imdecode(np.fromfile(path, np.uint8), 1)\n\ndef width(path):\n    image = imread(path)\n    return image.shape[1]\n", "import app\nassert app.width('a.jpg') == 3\ntry:\n    app.width('t.jpg')\nexcept FileNotFoundError as error:\n    assert 't.jpg' in str(error)\nelse:\n    assert 0", run="import app\napp.width('t.jpg')"),
]  # fmt: skip

NONE = "AttributeError: 'NoneType' object has no attribute 'shape'"


def log(line: int, function: str, code: str, error: str = NONE) -> str:
    return f'Traceback (most recent call last):\n  File "{{root}}/app.py", line {line}, in {function}\n    {code}\n{error}\n'


def other(name: str, app: str, run: str = "import app", **more: object) -> Program:
    return spared(name, app, run, files={**F, **more.pop("files", {})}, **more)  # type: ignore[dict-item]


LOOKALIKES: list[Program] = [
    other("a regular expression", "import re\nre.match('a', 'b').group()\n"),
    other("a dict's get", "image = {}.get('x')\nimage.shape\n"),
    other("another function's None", "import cv2\ndef find(images):\n    for image in images:\n        if image is not None:\n            return image\ndef f():\n    image = find([])\n    return image.shape\nf()\n"),
    other("a video's frame", "import cv2\nok, frame = cv2.VideoCapture('x.mp4').read()\nframe.shape\n"),
    other("a frame in a loop", "import cv2\ndef f(name):\n    video = cv2.VideoCapture(name)\n    while True:\n        ok, frame = video.read()\n        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)\nf('x')\n"),
    other("imdecode", "import cv2, numpy as np\nimage = cv2.imdecode(np.zeros(3, np.uint8), 1)\nimage.shape\n"),
    other("tested for already", "import cv2\ndef f(path):\n    image = cv2.imread(path)\n    if image is None:\n        return None\n    return image.shape\n", log=log(6, "f", "return image.shape")),
    other("tested with not", "import cv2\ndef f(path):\n    image = cv2.imread(path)\n    if not image is None:\n        pass\n    return image.shape\n", log=log(6, "f", "return image.shape")),
    other("asserted", "import cv2\ndef f(path):\n    image = cv2.imread(path)\n    assert image is not None, path\n    return image.shape\n", log=log(5, "f", "return image.shape")),
    other("caught on purpose", "import cv2, traceback\ntry:\n    image = cv2.imread('gone')\n    image.shape\nexcept AttributeError:\n    traceback.print_exc()\n"),
    other("cv2.error caught on purpose", "import cv2, logging\ndef f():\n    try:\n        return cv2.cvtColor(cv2.imread('gone'), 6)\n    except cv2.error:\n        logging.exception('no image')\nf()\n"),
    other("an image of the wrong kind", "import cv2\ndef f(path):\n    image = cv2.imread(path)\n    return cv2.cvtColor(image, 6)\n", log=log(4, "f", "return cv2.cvtColor(image, 6)", "cv2.error: OpenCV(4.10.0) color.simd_helpers.hpp:92: error: (-2:Unspecified error) in function 'cvtColor'\n> Invalid number of channels in input image:\n>     'VScn::contains(scn)'\n> where\n>     'scn' is 1")),
    other("a bad size", "import cv2\ndef f(path):\n    image = cv2.imread(path)\n    return cv2.resize(image, (0, 0))\n", log=log(4, "f", "return cv2.resize(image, (0, 0))", "cv2.error: OpenCV(4.10.0) resize.cpp:4155: error: (-215:Assertion failed) inv_scale_x > 0 in function 'resize'")),
    other("imageio's imread", "import imageio.v3 as iio\ndef f(path):\n    image = iio.imread(path)\n    return image.shape\n", log=log(4, "f", "return image.shape")),
    other("skimage's imread", "from skimage.io import imread\ndef f(path):\n    image = imread(path)\n    return image.shape\n", log=log(4, "f", "return image.shape")),
    other("matplotlib's imread", "import matplotlib.pyplot as plt\ndef f(path):\n    return plt.imread(path).shape\n", log=log(3, "f", "return plt.imread(path).shape")),
    other("an own class's imread", "class Store:\n    def imread(self, p):\n        return None\nStore().imread('x').shape\n"),
    other("a default of None", "def f(mask=None):\n    return mask.shape\nf()\n"),
    other("an attribute not set yet", "class Viewer:\n    image = None\n    def size(self):\n        return self.image.shape\nViewer().size()\n"),
    other("a sort's None", "items = [2, 1].sort()\nitems[0]\n"),
    other("the model's None", "import cv2\nclass Model:\n    def predict(self, image):\n        return None\ndef f(path):\n    image = cv2.imread(path)\n    boxes = Model().predict(image)\n    return boxes.shape\nf('a.jpg')\n"),
    other("a result next to the image", "import cv2\ndef detect(image):\n    return None\ndef f(path):\n    image = cv2.imread(path)\n    found = detect(image)\n    return image.shape, found.shape\nf('a.jpg')\n", log=log(7, "f", "return image.shape, found.shape", "AttributeError: 'NoneType' object has no attribute 'boxes'")),
    other("a missing attribute of an image", "import cv2\ncv2.imread('a.jpg').shap\n"),
    other("a list index", "import cv2\nimages = [cv2.imread('a.jpg')]\nimages[3]\n"),
    other("a TypeError elsewhere", "import cv2\nimage = cv2.imread('a.jpg')\nlen(3)\n"),
    other("a None path", "import os\nos.fspath(None)\n"),
    other("stars", "import cv2\nargs = ['gone']\nimage = cv2.imread(*args)\nimage.shape\n"),
    other("a test's own image", "", run="", files={"test_it.py": "import cv2\ndef test_it():\n    image = cv2.imread('gone')\n    assert image.shape\n"}, log='Traceback (most recent call last):\n  File "{root}/test_it.py", line 4, in test_it\n    assert image.shape\n' + NONE + "\n"),
    other("a match's None in a loop over images", "import cv2, re\nfor path in ['a.jpg']:\n    image = cv2.imread(path)\n    number = re.search('[0-9]+', path).group()\n"),
    other("an XML element", "import xml.etree.ElementTree as E\nE.fromstring('<a/>').find('b').text\n"),
    other("json's null", "import json\njson.loads('null')['image']\n"),
]  # fmt: skip
