FROM python:3.12-slim

WORKDIR /src
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt '.[server]' \
    && useradd --create-home spandeck \
    && install -d -o spandeck -g spandeck -m 0700 /data

USER spandeck
WORKDIR /home/spandeck
ENV SPANDECK_DATA_DIR=/data SPANDECK_HOST=0.0.0.0
VOLUME /data
EXPOSE 4317 4318 4319 8501
# On every interface tokens are demanded: set SPANDECK_INGEST_TOKEN and SPANDECK_READ_TOKEN.
ENTRYPOINT ["spandeck"]
CMD ["up"]
