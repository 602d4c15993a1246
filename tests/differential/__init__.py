"""Generated requests, sent to the Go Pushgateway and to ours; what comes back has to agree."""
