"""Programs that need a path that is not there."""

from __future__ import annotations

from tests.engine.repair.corpus.program import Program, program, spared

PRELOAD = ("shutil", "json", "csv", "pathlib", "logging")
A = {"a.txt": "one\ntwo\n", "b.txt": "three\n"}
LOOP = "import app\nassert app.sizes(['a.txt', 'gone.txt', 'b.txt']) == [8, 6]"

PROGRAMS: list[Program] = [
    program("a loop with a logger", "import logging\nimport os\n\nlogger = logging.getLogger(__name__)\n\n\ndef sizes(paths):\n    found = []\n    for path in paths:\n        # its bytes\n        found.append(os.path.getsize(path))\n    logger.info(\"done\")\n    return found\n",
            LOOP, files=A, operator="skip",
            after={"app.py": "import logging\nimport os\n\nlogger = logging.getLogger(__name__)\n\n\ndef sizes(paths):\n    found = []\n    for path in paths:\n        if not os.path.exists(path):\n            logger.warning(\"Skipping a missing file: %s\", path)\n            continue\n        # its bytes\n        found.append(os.path.getsize(path))\n    logger.info(\"done\")\n    return found\n"}),
    program("a loop with print", "def sizes(paths):\n    found = []\n    for path in paths:\n        with open(path) as f:\n            text = f.read()\n        found.append(len(text))\n        print('read', path)\n    return found\n",
            LOOP, files=A, operator="skip"),
    program("a loop without any log", "def sizes(paths):\n    found = []\n    for p in paths:\n        found.append(len(open(p).read()))\n    return found\n", LOOP, files=A, operator="skip"),
    program("a loop with f-string logging in a class", "import logging\nfrom pathlib import Path\n\nclass Sizes:\n    def __init__(self):\n        self.logger = logging.getLogger('sizes')\n\n    def of(self, names: list[str]):\n        total = []\n        for name in names:\n            self.logger.info(f'reading {name}')\n            path = Path(name)\n            total.append(len(path.read_text()))\n        return total\n\ndef sizes(names):\n    return Sizes().of(names)\n",
            LOOP, files=A, operator="skip"),
    program("a joined path in a loop", "import os\n\ndef load(folder, names):\n    texts = {}\n    for name in names:\n        with open(os.path.join(folder, name + '.txt')) as f:\n            texts[name] = f.read()\n    return texts\n",
            "import app\nassert list(app.load('d', ['x', 'gone', 'y'])) == ['x', 'y']", files={"d/x.txt": "x", "d/y.txt": "y"}, operator="skip"),
    program("a comprehension", "import os\n\ndef sizes(paths):\n    return [os.stat(p).st_size for p in paths]\n", LOOP, files=A, operator="skip"),
    program("a generator in sum", "from pathlib import Path\n\ndef total(paths):\n    return sum(Path(p).stat().st_size for p in paths)\n",
            "import app\nassert app.total(['a.txt', 'gone']) == 8", files=A, operator="skip"),
    program("the loop is in the caller", "import json\n\ndef read(path):\n    with open(path) as f:\n        return f.read()\n\n\ndef sizes(paths):\n    out = []\n    for path in paths:\n        out.append(len(read(path)))\n    return out\n", LOOP, files=A, operator="skip"),
    program("a comprehension in the caller", "def read(path):\n    with open(path) as f:\n        return f.read()\n\ndef sizes(paths):\n    return [len(read(path)) for path in paths]\n", LOOP, files=A, operator="skip"),
    program("the caller gives a name, not a path", "import os\nBASE = 'd'\n\ndef read(name):\n    with open(os.path.join(BASE, name)) as f:\n        return f.read()\n\ndef all_of(names):\n    out = []\n    for name in names:\n        text = read(name)\n        out.append(text)\n    return out\n",
            "import app\nassert app.all_of(['x.txt', 'gone', 'y.txt']) == ['x', 'y']", files={"d/x.txt": "x", "d/y.txt": "y"}, operator="skip"),
    program("the loop is two frames up", "import shutil\n\ndef copy(src, dst):\n    shutil.copyfile(src, dst)\n\ndef back_up(path):\n    copy(path, path + '.bak')\n\ndef run(paths):\n    for path in paths:\n        back_up(path)\n",
            "import app, os\napp.run(['a.txt', 'gone', 'b.txt'])\nassert os.path.exists('b.txt.bak')", files=A, operator="skip"),
    program("csv rows in a loop", "import csv\n\ndef rows(files):\n    for file in files:\n        with open(file, newline='') as handle:\n            yield from csv.reader(handle)\n",
            "import app\nassert len(list(app.rows(['gone.csv', 'a.txt', 'b.txt']))) == 3", files=A, operator="skip"),
    program("a file that is written in a new folder", "import os\n\ndef save(folder, name, text):\n    with open(os.path.join(folder, name), 'w') as f:\n        f.write(text)\n",
            "import app\napp.save('out/x', 'n.txt', 'hi')\nassert open('out/x/n.txt').read() == 'hi'", operator="mkdir",
            after={"app.py": "import os\n\ndef save(folder, name, text):\n    path = os.path.join(folder, name)\n    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)\n    with open(path, 'w') as f:\n        f.write(text)\n"}),
    program("write_text", "from pathlib import Path\n\ndef save(path: Path, text: str) -> None:\n    path.write_text(text)\n",
            "import app, pathlib\napp.save(pathlib.Path('o/p/q.txt'), 'x')\nassert pathlib.Path('o/p/q.txt').read_text() == 'x'", operator="mkdir",
            after={"app.py": "from pathlib import Path\n\ndef save(path: Path, text: str) -> None:\n    path.parent.mkdir(parents=True, exist_ok=True)\n    path.write_text(text)\n"}),
    program("a Path by division", "from pathlib import Path\n\nOUT = Path('out')\n\ndef save(name, data):\n    (OUT / f'{name}.bin').write_bytes(data)\n",
            "import app\napp.save('a', b'1')\nassert open('out/a.bin', 'rb').read() == b'1'", operator="mkdir"),
    program("a literal path, no imports", "def note(text):\n    with open('logs/app.log', 'a') as f:\n        f.write(text)\n",
            "import app\napp.note('x')\nassert open('logs/app.log').read() == 'x'", operator="mkdir"),
    program("json dump", "import json\n\nclass Store:\n    def __init__(self, path):\n        self.path = path\n\n    def save(self, data):\n        json.dump(data, open(self.path, mode='w'))\n",
            "import app\napp.Store('s/t.json').save({})\nassert open('s/t.json').read() == '{}'", operator="mkdir"),
    program("os.mkdir of nested folders", "import os\n\ndef prepare(folder):\n    os.mkdir(folder)\n    return folder\n", "import app, os\nassert os.path.isdir(app.prepare('a/b/c'))", operator="mkdir-parents"),
    program("Path.mkdir of nested folders", "from pathlib import Path\n\ndef prepare(folder):\n    Path(folder).mkdir(exist_ok=True)\n", "import app, os\napp.prepare('a/b')\nassert os.path.isdir('a/b')", operator="mkdir-parents"),
    program("shutil.copy into a new folder", "import os\nimport shutil\n\ndef archive(folder, target):\n    for name in os.listdir(folder):\n        shutil.copy(os.path.join(folder, name), os.path.join(target, 'old', name))\n",
            "import app, os\napp.archive('d', 't')\nassert os.listdir('t/old') == ['x']", files={"d/x": "x"}, operator="mkdir"),
    program("os.remove", "import os\n\ndef clean(path):\n    os.remove(path)\n    return True\n", "import app\nassert app.clean('gone')", operator="exists-check"),
    program("unlink", "from pathlib import Path\n\ndef clean(paths):\n    for p in paths:\n        Path(p).unlink()\n", "import app\napp.clean(['gone'])", operator="missing-ok",
            after={"app.py": "from pathlib import Path\n\ndef clean(paths):\n    for p in paths:\n        Path(p).unlink(missing_ok=True)\n"}),
    program("rmtree", "import shutil, tempfile\n\ndef reset(folder):\n    shutil.rmtree(folder)\n    return folder\n", "import app\nassert app.reset('gone')", operator="exists-check"),
    program("None in the annotation", "import json\nfrom typing import Optional\n\ndef load(path: str) -> Optional[dict]:\n    with open(path) as f:\n        return json.load(f)\n", "import app\nassert app.load('gone') is None", operator="default"),
    program("None is what the caller asks for", "def read(path):\n    with open(path) as f:\n        return f.read()\n\ndef title(path):\n    text = read(path)\n    if text is None:\n        return 'untitled'\n    return text.splitlines()[0]\n", "import app\nassert app.title('gone') == 'untitled'", operator="default"),
    program("an early return shows the default", "def words(path):\n    if not path:\n        return []\n    with open(path) as f:\n        return f.read().split()\n", "import app\nassert app.words('gone') == []", operator="default"),
    program("the docstring tells", "import json\n\ndef settings(path):\n    \"\"\"The settings; an empty dict if the file does not exist.\"\"\"\n    return json.load(open(path))\n", "import app\nassert app.settings('gone') == {}", operator="default"),
    program("a cache the first time", "import json\n\nCACHE = 'cache.json'\n\ndef load_cache():\n    with open(CACHE) as f:\n        return json.load(f)\n", "import app\nassert app.load_cache() == {}", operator="default"),
    program("the test says", "import os\n\ndef names(folder):\n    return sorted(os.listdir(folder))\n", "import test_app\ntest_app.test_gone()",
            files={"test_app.py": "import app\n\ndef test_gone():\n    assert app.names('gone') == []\n"}, operator="default"),
    program("a test in unittest says None", "from pathlib import Path\n\nclass Reader:\n    def read(self, path):\n        return Path(path).read_bytes()\n", "import unittest, test_app\nunittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromModule(test_app))\ntest_app.T('test_gone').debug()",
            files={"test_app.py": "import unittest\nimport app\n\nclass T(unittest.TestCase):\n    def test_gone(self):\n        self.assertIsNone(app.Reader().read('gone'))\n"}, operator="default"),
    program("a test wants another error", "class DataError(Exception):\n    pass\n\n\ndef load(path):\n    with open(path) as f:\n        return f.read()\n", "import app\ntry:\n    app.load('gone')\nexcept app.DataError as error:\n    assert 'gone' in str(error)\nelse:\n    assert 0",
            files={"test_app.py": "import pytest\nimport app\n\ndef test_gone():\n    with pytest.raises(app.DataError):\n        app.load('gone')\n"}, operator="clear-error"),
    program("a command is told", "import sys\n\ndef main():\n    with open(sys.argv[1]) as f:\n        return len(f.read())\n\nif __name__ == '__main__':\n    main()\n", "import app, sys\nsys.argv[1:] = ['gone.txt']\ntry:\n    app.main()\nexcept SystemExit as error:\n    assert 'gone.txt' in error.code", operator="clear-error"),
    program("a clear error otherwise", "def load(path):\n    with open(path, 'rb') as f:\n        return f.read()\n", "import app\ntry:\n    app.load('gone')\nexcept FileNotFoundError as error:\n    assert str(error) == 'file not found: gone', error", run="import app\napp.load('gone')", operator="clear-error"),
    program("CRLF and no last newline", "", "import app\napp.save('o/x')", files={"app.py": b"import os\r\ndef save(p):\r\n\topen(p, 'w').close()"}, operator="mkdir"),
]  # fmt: skip

GONE = "FileNotFoundError: [Errno 2] No such file or directory: 'gone'"


def log(line: int, function: str, code: str, error: str = GONE) -> str:
    return f'Traceback (most recent call last):\n  File "{{root}}/app.py", line {line}, in {function}\n    {code}\n{error}\n'


LOOKALIKES: list[Program] = [
    spared("raised on purpose", "def f(p):\n    raise FileNotFoundError(p)\nf('gone')\n"),
    spared("raised after a look", "import os\ndef f(p):\n    if not os.path.exists(p):\n        raise FileNotFoundError(f'{p} is needed')\n    return open(p)\nf('gone')\n"),
    spared("caught and logged", "import logging\ntry:\n    open('gone')\nexcept FileNotFoundError:\n    logging.exception('none yet')\n"),
    spared("caught as OSError in the caller", "import traceback\ndef f():\n    return open('gone')\ndef g():\n    try:\n        return f()\n    except OSError:\n        traceback.print_exc()\ng()\n"),
    spared("suppressed", "import contextlib\ndef f():\n    with contextlib.suppress(FileNotFoundError):\n        open('gone')\n", log=log(4, "f", "open('gone')")),
    spared("a test expects it", "import pytest\ndef test_f():\n    with pytest.raises(FileNotFoundError):\n        open('gone')\n", log=log(4, "test_f", "open('gone')")),
    spared("unittest expects it", "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        with self.assertRaises(FileNotFoundError):\n            open('gone')\n", log=log(5, "test_f", "open('gone')")),
    spared("a missing program", "import subprocess\nsubprocess.run(['no-such-program-here'])\n"),
    spared("a missing program by Popen", "import subprocess\nclass C:\n    def go(self):\n        return subprocess.Popen(['no-such-program-here', 'x'])\nC().go()\n"),
    spared("check_output of a missing program", "from subprocess import check_output\ncheck_output(['no-such-program-here'])\n"),
    spared("exec of a missing program", "import os\nos.execvp('no-such-program-here', ['x'])\n"),
    spared("a socket", "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('gone.sock')\n"),
    spared("an empty path", "def load(path):\n    return open(path)\nload('')\n"),
    spared("looked for already", "import os\ndef load(p):\n    if os.path.isfile(p):\n        return open(p).read()\n    return None\n", log=log(4, "load", "return open(p).read()")),
    spared("looked for by Path", "from pathlib import Path\ndef load(p):\n    p = Path(p)\n    if not p.exists():\n        return None\n    return p.read_text()\n", log=log(6, "load", "return p.read_text()")),
    spared("documented to raise", "def load(path):\n    \"\"\"Read it.\n\n    Raises:\n        FileNotFoundError: if there is no such file\n    \"\"\"\n    return open(path).read()\nload('gone')\n"),
    spared("documented in Sphinx's way", "def load(path):\n    '''Read it.\n\n    :raises FileNotFoundError: if there is none\n    '''\n    with open(path) as f:\n        return f.read()\nload('gone')\n"),
    spared("strict resolve", "from pathlib import Path\np = Path('gone').resolve(strict=True)\n"),
    spared("strict resolve and read", "from pathlib import Path\nPath('gone').resolve(strict=True).read_text()\n"),
    spared("unlink says missing_ok=False", "from pathlib import Path\nPath('gone').unlink(missing_ok=False)\n"),
    spared("mkdir says parents=False", "from pathlib import Path\nPath('a/b').mkdir(parents=False)\n"),
    spared("chdir", "import os\nos.chdir('gone')\n"),
    spared("its folder is made already", "import os\ndef save(path, text):\n    os.makedirs(os.path.dirname(path), exist_ok=True)\n    with open(path, 'w') as f:\n        f.write(text)\n", log=log(4, "save", "with open(path, 'w') as f:")),
    spared("its parent is made already", "from pathlib import Path\ndef save(path, text):\n    path.parent.mkdir(parents=True, exist_ok=True)\n    path.write_text(text)\n", log=log(4, "save", "path.write_text(text)")),
    spared("written beside the program", "def save(text):\n    with open('out.txt', 'w') as f:\n        f.write(text)\n", log=log(2, "save", "with open('out.txt', 'w') as f:", "FileNotFoundError: [Errno 2] No such file or directory: 'out.txt'")),
    spared("a lambda", "load = lambda p: open(p).read()\nload('gone')\n"),
    spared("a test's own file", "", files={"test_it.py": "def test_it():\n    open('gone')\n"}, log='Traceback (most recent call last):\n  File "{root}/test_it.py", line 2, in test_it\n    open(\'gone\')\n' + GONE + "\n"),
    spared("a database that is connected to", "class Pool:\n    def get(self):\n        return self.connect('gone')\n    def connect(self, p):\n        raise FileNotFoundError(2, 'No such file or directory', p)\nPool().get()\n"),
    spared("a device", "import mmap, os\nfd = os.open('gone', os.O_RDONLY) if False else os.posix_openpt(os.O_RDWR)\nraise FileNotFoundError('no device')\n"),
    spared("another error", "open('.')\n"),
    spared("no right to read", "raise PermissionError(13, 'Permission denied', 'x')\n"),
    spared("a module", "import importlib.util\nspec = importlib.util.spec_from_file_location('m', 'gone.py')\nmodule = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)\n"),
    spared("arguments by a star", "args = ['gone']\nopen(*args)\n"),
    spared("a retry of its own", "import time\ndef wait(path):\n    for n in range(3):\n        try:\n            return open(path)\n        except FileNotFoundError:\n            if n == 2:\n                raise\n            time.sleep(0)\nwait('gone')\n"),
    spared("a command by asyncio", "import asyncio\nasync def go():\n    return await asyncio.create_subprocess_exec('no-such-program-here')\nasyncio.run(go())\n"),
]  # fmt: skip
