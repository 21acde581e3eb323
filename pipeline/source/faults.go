package source

import (
	"context"
	"errors"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// fault is what a failed read says about its bucket.
type fault uint8

const (
	faultOurs    fault = iota // nothing: we gave up, or who we are is not known
	faultRefused              // S3 refuses, and will until somebody changes something
	faultPassing              // S3 or the network is not well: it often passes by itself
)

// faultOf tells why an object could not be read. err is not nil. Source: Amazon S3 API Reference, "Error responses".
func faultOf(err error) fault {
	c := code(err)
	switch {
	case errors.Is(err, errSilent):
		return faultPassing
	case errors.Is(err, context.Canceled), foreignIdentity(c), withoutCredentials(err):
		return faultOurs
	case c == "SlowDown" || c == "RequestTimeout" || strings.Contains(c, "Throttl"):
		return faultPassing
	case strings.HasPrefix(c, "KMS."):
		return faultRefused
	}
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) {
		return faultPassing
	}
	switch status := answer.HTTPStatusCode(); {
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		return faultPassing
	case status >= http.StatusMultipleChoices && status < http.StatusInternalServerError:
		return faultRefused
	}
	return faultPassing
}

// foreignIdentity reports whether AWS does not know or trust who is asking, whatever it was asked for.
func foreignIdentity(code string) bool {
	switch code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException",
		"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed":
		return true
	}
	return false
}

// withoutCredentials reports whether the SDK had nothing to sign the request with.
func withoutCredentials(err error) bool {
	return strings.Contains(err.Error(), "get credentials") || strings.Contains(err.Error(), "retrieve credentials")
}
