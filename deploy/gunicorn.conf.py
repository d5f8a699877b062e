"""Gunicorn behind nginx (`deploy/nginx.conf`). Read by `gunicorn -c`; WEB_CONCURRENCY and THREADS are settings of the product."""

from config import load

_settings = load()
workers = _settings.web_concurrency  # more than one needs PostgreSQL and REDIS_URL; the application checks
worker_class = "gthread"
threads = _settings.threads
preload_app = False  # each worker takes its own locks and opens its own connections
timeout = 60
graceful_timeout = 30
keepalive = 5
max_requests, max_requests_jitter = 5000, 500  # a slow leak never grows large
control_socket_disable = True  # nothing on the host may steer it but signals
forwarded_allow_ips = ""  # the application reads X-Forwarded-For itself, from TRUSTED_PROXIES only
accesslog = None  # nginx writes it; addresses of residents' look-ups are kept in one place
