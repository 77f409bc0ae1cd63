package server

import (
	"io"
	"log"
	"regexp"
)

var (
	discardLog = log.New(io.Discard, "", 0)
	nonceLike  = regexp.MustCompile(`[a-z2-7]{52}`)
)
