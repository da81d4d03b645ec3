// Keeps console pages fresh without losing what somebody is typing. Pages work without it.
