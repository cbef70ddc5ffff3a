# The service alone: no compiler, no pip, no root. Numbers are computed by numpy's own BLAS and by compiled kernels.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY client/deltawire client/deltawire
COPY plugins plugins
COPY service service
# EXTRA=cluster adds Dask: the image of workers, of their scheduler, and of a service that sends work to them.
ARG EXTRA=service
# Install into a folder of its own, the only one that the final image gets. Drop numpy's tests, and compile ahead: a
# read-only container cannot write byte code.
RUN python -m pip install --quiet --no-cache-dir --no-compile --target /opt/deltawire ".[$EXTRA]" \
 && find /opt/deltawire -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} + \
 && find /opt/deltawire/bin -type f ! -name deltawire ! -name dask -delete \
 && python -m compileall -q -j 0 /opt/deltawire

# The kernels of the layers, compiled where the final image gets no compiler from. KERNELS=no leaves them out.
FROM python:3.12-slim AS kernels
ARG KERNELS=yes
COPY plugins/kernels /src
RUN mkdir /opt/kernels \
 && if [ "$KERNELS" = yes ]; then \
      apt-get update -qq && apt-get install -qq --yes --no-install-recommends g++ >/dev/null \
      && python -m pip install --quiet --no-cache-dir --no-compile --no-deps --target /opt/kernels /src; \
    fi

FROM python:3.12-slim
COPY --from=build /opt/deltawire /opt/deltawire
COPY --from=kernels /opt/kernels /opt/deltawire
# Where models are kept, if DELTAWIRE_DATA_DIR says so: a new volume that is mounted here gets this owner.
RUN install -d -m 0700 -o 10001 -g 10001 /data
ENV PATH=/opt/deltawire/bin:$PATH PYTHONPATH=/opt/deltawire PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["python", "-m", "gunicorn", "-c", "python:deltawire_service.gunicorn_conf", "-b", "0.0.0.0:8000", \
     "deltawire_service.app:create_app()"]
