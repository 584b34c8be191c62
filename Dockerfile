# The front-end as a server; PostgreSQL stands beside it (compose.yaml, docs/deploy.md).

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/allocator
COPY requirements/server.txt requirements/
RUN /opt/allocator/bin/pip install --no-cache-dir --require-hashes -r requirements/server.txt
COPY pyproject.toml README.md LICENSE ./
COPY allocator allocator
RUN /opt/allocator/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /home/allocator allocator
COPY --from=build /opt/allocator /opt/allocator
COPY ui /srv/allocator/ui
# Without the last one, Streamlit asks another machine what its address is, as soon as it listens to all.
ENV PATH=/opt/allocator/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_HEADLESS=true STREAMLIT_BROWSER_SERVER_ADDRESS=localhost
WORKDIR /srv/allocator
USER 10001
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "ui/streamlit_app.py"]
