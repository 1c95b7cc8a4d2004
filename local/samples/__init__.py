"""The same call as code: as an aliyun command line, and for the SDKs of four languages."""
