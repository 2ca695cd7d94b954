"""Which distribution gives which well-known top-level module.

Curated by hand, from what these projects are known by: the modules that scripts import most, never a guess by rule.
That a distribution of each name is there was looked up in a listing of the package index.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.repair.patterns.imports import known_modules

_OTHERWISE_NAMED = """
cv2=opencv-python-headless PIL=pillow yaml=PyYAML sklearn=scikit-learn skimage=scikit-image bs4=beautifulsoup4
dateutil=python-dateutil dotenv=python-dotenv docx=python-docx pptx=python-pptx fitz=PyMuPDF pymupdf=PyMuPDF
Crypto=pycryptodome Cryptodome=pycryptodomex nacl=PyNaCl jwt=PyJWT jose=python-jose git=GitPython github=PyGithub
gitlab=python-gitlab serial=pyserial usb=pyusb magic=python-magic MySQLdb=mysqlclient psycopg2=psycopg2-binary
pymysql=PyMySQL mysql=mysql-connector-python bson=pymongo gridfs=pymongo OpenSSL=pyOpenSSL zmq=pyzmq wx=wxPython
gi=PyGObject cairo=pycairo Xlib=python-xlib win32api=pywin32 win32con=pywin32 win32gui=pywin32 win32com=pywin32
pythoncom=pywin32 pywintypes=pywin32 pkg_resources=setuptools attr=attrs markdown=Markdown slugify=python-slugify
Levenshtein=Levenshtein telegram=python-telegram-bot discord=discord.py slack_sdk=slack-sdk telebot=pyTelegramBotAPI
googleapiclient=google-api-python-client google_auth_oauthlib=google-auth-oauthlib pytesseract=pytesseract
imagehash=ImageHash exif=exif exifread=ExifRead piexif=piexif pillow_heif=pillow-heif
face_recognition=face-recognition dlib=dlib mediapipe=mediapipe open_clip=open-clip-torch clip=openai-clip
sentence_transformers=sentence-transformers pytorch_lightning=pytorch-lightning lightning=lightning
segmentation_models_pytorch=segmentation-models-pytorch efficientnet_pytorch=efficientnet-pytorch faiss=faiss-cpu
umap=umap-learn hdbscan=hdbscan igraph=igraph community=python-louvain mpl_toolkits=matplotlib pylab=matplotlib
tables=tables netCDF4=netCDF4 osgeo=GDAL fiona=Fiona shapefile=pyshp Bio=biopython rdkit=rdkit wand=Wand
tifffile=tifffile rawpy=rawpy imageio_ffmpeg=imageio-ffmpeg ffmpeg=ffmpeg-python moviepy=moviepy pydub=pydub
soundfile=soundfile sounddevice=sounddevice speech_recognition=SpeechRecognition pyaudio=PyAudio
whisper=openai-whisper gtts=gTTS mutagen=mutagen flask_cors=Flask-Cors flask_sqlalchemy=Flask-SQLAlchemy
flask_login=Flask-Login flask_migrate=Flask-Migrate flask_wtf=Flask-WTF rest_framework=djangorestframework
corsheaders=django-cors-headers environ=django-environ django_filters=django-filter werkzeug=Werkzeug jinja2=Jinja2
markupsafe=MarkupSafe flask=Flask django=Django sqlalchemy=SQLAlchemy babel=Babel multipart=python-multipart
socketio=python-socketio engineio=python-engineio websocket=websocket-client kafka=kafka-python
confluent_kafka=confluent-kafka pika=pika memcache=python-memcached ldap=python-ldap snappy=python-snappy lz4=lz4
zstandard=zstandard editdistance=editdistance Cython=Cython pyximport=Cython ruamel=ruamel.yaml iso8601=iso8601
unidiff=unidiff prompt_toolkit=prompt-toolkit charset_normalizer=charset-normalizer
typing_extensions=typing-extensions importlib_metadata=importlib-metadata importlib_resources=importlib-resources
async_timeout=async-timeout aiohttp_cors=aiohttp-cors more_itertools=more-itertools
requests_toolbelt=requests-toolbelt requests_oauthlib=requests-oauthlib requests_cache=requests-cache
google_crc32c=google-crc32c stable_baselines3=stable-baselines3 sklearn_pandas=sklearn-pandas
imblearn=imbalanced-learn mlxtend=mlxtend category_encoders=category-encoders lightgbm=lightgbm xgboost=xgboost
catboost=catboost pycocotools=pycocotools Image=pillow pyasn1=pyasn1 OpenGL=PyOpenGL pygments=Pygments
docutils=docutils sphinx=Sphinx pycurl=pycurl lxml_html_clean=lxml-html-clean pyperclip=pyperclip PyPDF2=PyPDF2
pypdf=pypdf reportlab=reportlab xlrd=xlrd xlsxwriter=XlsxWriter openpyxl=openpyxl pdf2image=pdf2image
pdfminer=pdfminer.six qrcode=qrcode barcode=python-barcode pyzbar=pyzbar PyQt5=PyQt5 PyQt6=PyQt6 PySide2=PySide2
PySide6=PySide6 kivy=Kivy pygame=pygame pgvector=pgvector pinecone=pinecone dns=dnspython whois=python-whois
nmap=python-nmap scapy=scapy paramiko=paramiko fabric=fabric winsdk=winsdk RPi=RPi.GPIO smbus2=smbus2 spidev=spidev
can=python-can obspy=obspy astropy=astropy sympy=sympy
absl=absl-py annotated_types=annotated-types bottleneck=Bottleneck cached_property=cached-property camelot=camelot-py
dataclasses_json=dataclasses-json deprecated=Deprecated email_validator=email-validator flask_caching=Flask-Caching
flask_restful=Flask-RESTful fontTools=fonttools huggingface_hub=huggingface-hub hydra=hydra-core IPython=ipython
lazy_loader=lazy-loader markdown_it=markdown-it-py marshmallow_dataclass=marshmallow-dataclass
mypy_extensions=mypy-extensions odf=odfpy psycopg_pool=psycopg-pool pulp=PuLP pyautogui=PyAutoGUI
pydantic_core=pydantic-core pydantic_settings=pydantic-settings pytest_asyncio=pytest-asyncio pytest_mock=pytest-mock
pytz_deprecation_shim=pytz-deprecation-shim requests_mock=requests-mock typing_inspect=typing-inspect
adafruit_dht=adafruit-circuitpython-dht aiohttp_socks=aiohttp-socks airflow=apache-airflow
alive_progress=alive-progress allauth=django-allauth alpaca_trade_api=alpaca-trade-api apscheduler=APScheduler
arabic_reshaper=arabic-reshaper argon2=argon2-cffi atari_py=atari-py atlassian=atlassian-python-api authlib=Authlib
azure_storage=azure-storage bert_score=bert-score better_exceptions=better-exceptions bidi=python-bidi
binance=python-binance bluetooth=PyBluez blurhash=blurhash-python brotli=Brotli cairosvg=CairoSVG cartopy=Cartopy
cassandra=cassandra-driver catkin_pkg=catkin-pkg cerberus=Cerberus cherrypy=CherryPy clean_fid=clean-fid
clickhouse_driver=clickhouse-driver configargparse=ConfigArgParse consul=python-consul controlnet_aux=controlnet-aux
cpuinfo=py-cpuinfo crispy_forms=django-crispy-forms cron_descriptor=cron-descriptor curl_cffi=curl-cffi
cx_Oracle=cx-Oracle dbt=dbt-core dbus=dbus-python debug_toolbar=django-debug-toolbar decouple=python-decouple
deep_translator=deep-translator django_celery_beat=django-celery-beat django_extensions=django-extensions
django_redis=django-redis docstring_parser=docstring-parser doctr=python-doctr dogpile=dogpile.cache
elasticapm=elastic-apm eth_account=eth-account face_alignment=face-alignment facenet_pytorch=facenet-pytorch
fake_useragent=fake-useragent faster_whisper=faster-whisper firebase_admin=firebase-admin flask_admin=Flask-Admin
flask_bcrypt=Flask-Bcrypt flask_jwt_extended=Flask-JWT-Extended flask_limiter=Flask-Limiter flask_mail=Flask-Mail
flask_marshmallow=flask-marshmallow flask_session=Flask-Session flask_socketio=Flask-SocketIO freetype=freetype-py
frontmatter=python-frontmatter geoalchemy2=GeoAlchemy2 google_auth_httplib2=google-auth-httplib2 graphql=graphql-core
great_expectations=great-expectations groundingdino=groundingdino-py httpx_sse=httpx-sse
influxdb_client=influxdb-client invisible_watermark=invisible-watermark iptcinfo3=IPTCInfo3 janome=Janome
jinja2_time=jinja2-time k_diffusion=k-diffusion keras_cv=keras-cv langchain_community=langchain-community
langchain_core=langchain-core langchain_openai=langchain-openai language_tool_python=language-tool-python
libcloud=apache-libcloud line_bot_sdk=line-bot-sdk line_profiler=line-profiler linebot=line-bot-sdk
lion_pytorch=lion-pytorch llama_cpp=llama-cpp-python llama_index=llama-index lm_dataformat=lm-dataformat
logbook=Logbook MeCab=mecab-python3 memory_profiler=memory-profiler metpy=MetPy mpv=python-mpv newspaper=newspaper3k
nvidia_smi=nvidia-ml-py3 onesignal_sdk=onesignal-sdk opencc=OpenCC openmm=OpenMM opensearchpy=opensearch-py
opentelemetry=opentelemetry-api paho=paho-mqtt pandas_ta=pandas-ta patoolib=patool pillow_avif=pillow-avif-plugin
progressbar=progressbar2 prometheus_client=prometheus-client pyannote=pyannote.audio pybloom_live=pybloom-live
pydantic_yaml=pydantic-yaml pyfunctional=PyFunctional pygetwindow=PyGetWindow pympler=Pympler pymsgbox=PyMsgBox
pynvml=nvidia-ml-py pyrebase=Pyrebase4 pyro=pyro-ppl pyrogram=Pyrogram pyscreeze=PyScreeze pysnooper=PySnooper
pytest_benchmark=pytest-benchmark pytest_cov=pytest-cov pytest_django=pytest-django
pytest_httpserver=pytest-httpserver pythonjsonlogger=python-json-logger pytorch_fid=pytorch-fid
pytorch_msssim=pytorch-msssim pyvisa=PyVISA qdarkstyle=QDarkStyle qdrant_client=qdrant-client qtpy=QtPy
rapidjson=python-rapidjson readability=readability-lxml requests_futures=requests-futures requests_html=requests-html
requests_ntlm=requests-ntlm retinaface=retina-face reverse_geocoder=reverse-geocoder rouge_score=rouge-score
ruamel_yaml=ruamel.yaml sass=libsass scikitplot=scikit-plot segment_anything=segment-anything send2trash=Send2Trash
sentry_sdk=sentry-sdk sklearn_crfsuite=sklearn-crfsuite slack_bolt=slack-bolt spellchecker=pyspellchecker
sqlalchemy_utils=SQLAlchemy-Utils sseclient=sseclient-py strawberry=strawberry-graphql tabula=tabula-py talib=TA-Lib
telethon=Telethon torch_geometric=torch-geometric tortoise=tortoise-orm tqdm_loggable=tqdm-loggable
undetected_chromedriver=undetected-chromedriver vk_api=vk-api vlc=python-vlc vtkmodules=vtk weaviate=weaviate-client
webdriver_manager=webdriver-manager wikipediaapi=Wikipedia-API wmi=WMI wtforms=WTForms ydata_profiling=ydata-profiling
youtube_dl=youtube-dl yt_dlp=yt-dlp
"""
_SAME_NAMED = """
numpy pandas scipy matplotlib seaborn plotly bokeh altair requests httpx aiohttp urllib3 certifi idna chardet click
typer rich textual tqdm colorama tabulate pytest hypothesis mock tox coverage fastapi uvicorn starlette pydantic
gunicorn celery redis pymongo boto3 botocore s3fs fsspec torch torchvision torchaudio tensorflow keras jax flax
transformers datasets tokenizers accelerate diffusers safetensors timm einops onnx onnxruntime kornia albumentations
imgaug torchmetrics optuna mlflow wandb tensorboard gradio streamlit dash joblib numba dask polars pyarrow h5py zarr
xarray networkx statsmodels nltk spacy gensim openai anthropic tiktoken langchain imageio lxml cryptography bcrypt
passlib psutil watchdog schedule loguru structlog simplejson orjson ujson toml tomli tomlkit jsonschema marshmallow
attrs cattrs cachetools filelock appdirs platformdirs psycopg asyncpg aiosqlite alembic peewee tornado sanic
websockets grpc scrapy selenium playwright mechanize feedparser html5lib regex ftfy unidecode rapidfuzz fuzzywuzzy
pexpect ptyprocess sh invoke docopt fire humanize arrow pendulum pytz tzlocal six future decorator wrapt aiofiles
anyio trio gevent eventlet twisted pyglet moderngl shapely geopandas rasterio pyproj folium librosa colour coloredlogs
emoji freezegun responses vcrpy faker pyinstaller setuptools wheel packaging pywt vaex cupy ray deepface insightface
ultralytics easyocr paddleocr supervision blake3 xxhash pyvips pyfakefs questionary termcolor blessed inquirer
adlfs aiosignal autopep8 backoff black bleach bleak blinker cffi cloudpickle contourpy cssselect cvxpy cycler cytoolz
deepdiff defusedxml diskcache docxtpl dropbox ecdsa eli5 exceptiongroup execnet flake8 flatbuffers fpdf frozenlist
gcsfs greenlet h11 h2 html2text httpcore httptools humanfriendly iniconfig ipykernel ipywidgets isort itsdangerous
jedi jellyfish jmespath jsonpatch jsonpickle jsonpointer jwcrypto keyboard kiwisolver langdetect lark lime lmdb mdurl
minio mistune monai mongoengine motor msgpack mss multidict mypy nbconvert nbformat netaddr nibabel nose2 notebook
numexpr omegaconf open3d ortools parameterized parsel parso pathspec phonenumbers pkginfo pluggy pooch praw
prettytable prophet pycodestyle pycountry pycparser pydicom pyee pyflakes pylint pynput pyodbc pypandoc pyparsing
pyquery pyrsistent pyvista retrying rsa s3transfer sendgrid shap shellingham SimpleITK sniffio sortedcontainers
soupsieve stripe tblib tenacity texttable tinydb tldextract toolz torchio traitlets trimesh tslearn tweepy twilio
typeguard unittest2 uvloop validators virtualenv vtk w3lib watchfiles wcwidth weasyprint webcolors wsproto xlwings
xmltodict yarl zeep zipp
addict adjustText aioboto3 aiobotocore aiocache aiogram aiolimiter aiomysql aioredis anndata argcomplete ariadne arviz
ase astroquery asyncssh attrdict aubio audioread av backtrader base58 basicsr beartype bidict binaryornot bitarray
bitsandbytes blacksheep blosc boto botorch bottle cachelib ccxt cement cfgrib chromadb cliff cloudscraper colorthief
compel comtypes confuse contextily contractions croniter ctransformers customtkinter dadaptation dagster darts datadog
datashader dateparser ddtrace dearpygui decord demjson3 demucs dgl dictdiffer dill distro docker docx2pdf docx2txt
dpkt dramatiq duckdb dynaconf earthpy elasticsearch emcee enlighten environs ephem essentia etcd3 evdev everett ezdxf
facexlib falcon fasteners fastparquet fasttext featuretools ffmpy fiftyone filterpy fitparse frozendict funcy fvcore
geocoder geopy gfpgan googletrans goose3 gpiozero GPUtil gpxpy gpytorch gql graphene graphviz gspread gssapi gym
gymnasium h3 halo haversine healpy hjson hmmlearn holidays holoviews HTSeq huey hvac hvplot icecream ijson imagededup
impacket imutils inflect influxdb instaloader intervaltree iopath ipdb ipyleaflet jieba jira json5 jsonlines kerberos
koalas konlpy kubernetes lancedb langcodes langgraph langid layoutparser ldap3 litestar lmfit localstack lpips luigi
madmom markdown2 mayavi MDAnalysis mdtraj mido missingno mistletoe mmcv mmdet mmengine mnemonic modin moto mpi4py
mplfinance mtcnn mujoco multimethod multipledispatch multiprocess munch music21 napalm natsort neo4j netmiko newrelic
noisereduce norfair num2words numpyro oauth2client oauthlib objgraph odfpy openbabel openshift optimum oracledb osmnx
oyaml pampy pandasql pandera parsedatetime pathos paypalrestsdk pdfplumber peft pettingzoo photutils pikepdf pint piq
playsound plotnine plumbum plyfile pmdarima portalocker poyo prefect pretty_midi prodigyopt psycogreen ptflops pudb
pulumi py7zr pyaml pybullet pydeck pydot pyecharts pyexiv2 pyfcm pyfiglet pygal pygeohash pygerrit2 pygraphviz
pygsheets pyinstrument pylibmc pymatgen pymc pymemcache pymilvus pymodbus pymssql pyotp pypinyin pyppeteer pyqtgraph
pyquaternion pyramid pyreadstat pyrender pyresample pyrouge pysam pysftp pyshark PySimpleGUI pysnmp pysolr pyspark
pyspnego pystray pytorch_optimizer pyttsx3 pytube pyudev pywebpush pywinauto quart rarfile rdflib realesrgan reflink
rembg resampy respx rioxarray roboflow robyn rospkg rouge rq sacrebleu sacremoses scanpy schedulefree screeninfo
sentencepiece setproctitle simpleaudio sktime skyfield smbus snakemake snakeviz snoop solana sortedcollections
splinter spotipy sqlmodel sshtunnel stackprinter stanza statsd strictyaml sunpy svglib svgpathtools svgwrite sweetviz
swifter symspellpy textblob textstat thop tianshou timezonefinder torchcrepe torchdiffeq trafaret trafilatura
transforms3d trl troposphere tsfresh ttkbootstrap uharfbuzz uncertainties untangle vidgear viztracer vllm voluptuous
vosk walrus wcmatch web3 webrtcvad whichcraft whisperx whitenoise word2number wordcloud workalendar xformers xlutils
xlwt xmlschema yacs yaspin yellowbrick yfinance zopfli zstd
rising delira lungmask antspynet espnet s3prl
"""
_OTHER_NAMES = {
    "grpc": "grpcio",
    "unidecode": "Unidecode",
    "pywt": "PyWavelets",
    "faker": "Faker",
    "colour": "colour-science",
    "cupy": "cupy-cuda12x",
}
NAMESPACES: Mapping[str, str] = {  # packages that share a top-level name
    "google.protobuf": "protobuf",
    "google.cloud.storage": "google-cloud-storage",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.vision": "google-cloud-vision",
    "google.cloud.pubsub": "google-cloud-pubsub",
    "google.cloud.firestore": "google-cloud-firestore",
    "google.generativeai": "google-generativeai",
    "google.genai": "google-genai",
    "google.auth": "google-auth",
    "google.oauth2": "google-auth",
    "ruamel.yaml": "ruamel.yaml",
    "serpapi.Client": "serpapi",  # two distributions give serpapi: what is taken from it tells them apart
    "serpapi.GoogleSearch": "google-search-results",
    "serpapi.BingSearch": "google-search-results",
    "serpapi.SerpApiClient": "google-search-results",
    "serpapi.google_search": "google-search-results",
    "azure.storage.blob": "azure-storage-blob",
    "azure.identity": "azure-identity",
    "azure.cognitiveservices.speech": "azure-cognitiveservices-speech",
    "azure.keyvault.secrets": "azure-keyvault-secrets",
    "azure.cosmos": "azure-cosmos",
    "azure.servicebus": "azure-servicebus",
    "google.api_core": "google-api-core",
    "google.cloud.aiplatform": "google-cloud-aiplatform",
    "google.cloud.datastore": "google-cloud-datastore",
    "google.cloud.logging": "google-cloud-logging",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.speech": "google-cloud-speech",
    "google.cloud.texttospeech": "google-cloud-texttospeech",
    "google.cloud.translate": "google-cloud-translate",
    "snowflake.connector": "snowflake-connector-python",
    "mpl_toolkits": "matplotlib",
}
EQUIVALENT: tuple[frozenset[str], ...] = tuple(
    frozenset(one.split())
    for one in (
        "opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless",
        "pillow pillow-simd",
        "psycopg2 psycopg2-binary",
        "tensorflow tensorflow-cpu tensorflow-gpu tensorflow-macos",
        "faiss faiss-cpu faiss-gpu",
        "onnxruntime onnxruntime-gpu",
        "pymysql mysqlclient",
        "pypdf2 pypdf",
        "pycryptodome pycrypto",
        "kafka-python kafka-python-ng",
        "attrs attr",
        "levenshtein python-levenshtein",
        "openai-clip clip",
        "cupy cupy-cuda11x cupy-cuda12x cupy-cuda13x",
    )
)


def _known() -> dict[str, str]:
    known = {name: name.replace("_", "-") for name in known_modules.SAME_NAMED.split()}
    known |= {name: _OTHER_NAMES.get(name, name) for name in _SAME_NAMED.split()}
    for pair in (*known_modules.OTHERWISE_NAMED.split(), *_OTHERWISE_NAMED.split()):
        module, _, distribution = pair.partition("=")
        if distribution:
            known[module] = distribution
    return known


DISTRIBUTIONS: Mapping[str, str] = _known()


def distribution_of(module: str) -> str | None:
    """The distribution to declare for a dotted module name; None where it is not known."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        dotted = ".".join(parts[:length])
        if dotted in NAMESPACES:
            return NAMESPACES[dotted]
    return DISTRIBUTIONS.get(parts[0]) if parts[0] not in ("google", "azure") else None


def normalised(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def equivalents(name: str) -> frozenset[str]:
    """Normalised names of the distributions that give the same module, this one among them."""
    own = normalised(name)
    return next((one for one in EQUIVALENT if own in one), frozenset((own,)))
