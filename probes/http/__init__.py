"""The HTTP engine: libcurl sends, hop by hop, and says what each phase took."""
