package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// unreadable is the error of an object that arrived whole but is no CloudTrail file, or a damaged one.
type unreadable struct{ err error }

func (e *unreadable) Error() string { return e.err.Error() }
func (e *unreadable) Unwrap() error { return e.err }

// lostReason is the short name of why an object cannot be read at any time, "" when it may be readable later. Source:
// Amazon S3 API Reference, "Error responses".
func lostReason(err error) string {
	if _, ok := errors.AsType[*unreadable](err); ok {
		switch {
		case errors.Is(err, cloudtrail.ErrNotLog):
			return "not_cloudtrail"
		case errors.Is(err, cloudtrail.ErrTruncated):
			return "truncated"
		}
		return "corrupt"
	}
	switch code(err) {
	case "NoSuchKey", "NotFound": // NotFound: a 404 without a body
		return "no_such_key"
	case "NoSuchVersion":
		return "no_such_version"
	case "MethodNotAllowed":
		return "delete_marker"
	case "InvalidObjectState":
		return "archived"
	}
	return ""
}

// worthAnotherTry reports whether a fresh get may help. What a service refuses it refuses again, and the SDK has tried
// passing faults several times before it gave up.
func worthAnotherTry(err error) bool {
	var b *broken
	return errors.As(err, &b) || lostReason(err) != ""
}

// code is the error code that AWS answered with, "" when there is no answer.
func code(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}

// misplaced reports whether an answer means that the bucket is in another region. guessed says that the region came from a
// notice, so that a host name which does not resolve means no more than a wrong guess.
func misplaced(err error, guessed bool) bool {
	switch code(err) {
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "MovedPermanently":
		return true
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusMovedPermanently {
		return true
	}
	var dns *net.DNSError
	return guessed && errors.As(err, &dns)
}

// bucketRegion is the region that an S3 answer names for the bucket.
func bucketRegion(err error) string {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil {
		return ""
	}
	return answer.Response.Header.Get("x-amz-bucket-region")
}

// adviseS3 adds to an error of S3's what the operator can do about it.
func adviseS3(err error) error { return advised(err, adviceS3(err)) }

// cureS3 is what the operator can do about an error of S3's; there always is something.
func cureS3(err error) string {
	if advice := adviceS3(err); advice != "" {
		return advice
	}
	return "look at the network between here and S3, and at the AWS Health Dashboard; it is tried again by itself"
}

func adviceS3(err error) string {
	c, message := code(err), strings.ToLower(err.Error())
	switch {
	case withoutCredentials(err):
		return adviceForBoth(c, err)
	case c == "AccessDenied" && strings.Contains(message, "kms"):
		return "allow kms:Decrypt on the bucket's key, in the role's policy and in the key's policy"
	case c == "AccessDenied" || c == "Forbidden" || c == "AllAccessDisabled":
		return "allow s3:GetObject on the bucket's objects, and s3:ListBucket so that a missing object shows as one; a bucket of another account needs a bucket policy too"
	case strings.HasPrefix(c, "KMS."):
		return "look at the state of the bucket's KMS key: while it is disabled or deleted nothing can be read"
	case c == "NoSuchBucket":
		return "the bucket does not exist (any more): remove its notification or create it again"
	}
	return adviceForBoth(c, err)
}

// adviseSQS adds to an error of SQS's what the operator can do about it.
func adviseSQS(err error, region string) error {
	c := code(err)
	var advice string
	switch {
	case c == "QueueDoesNotExist" || strings.HasSuffix(c, "NonExistentQueue"):
		advice = "there is no such queue in " + region + ": look at queue_url and the account in it"
	case strings.HasPrefix(c, "AccessDenied"):
		advice = "allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue"
	case strings.HasPrefix(strings.ToUpper(c), "KMS"):
		advice = "allow kms:Decrypt on the queue's key and look at the key's state"
	case c == "OverLimit":
		advice = "the queue has as many messages in flight as SQS allows: look for other consumers that do not delete"
	case strings.Contains(err.Error(), "deserialization failed"):
		advice = "the service does not answer in SQS's JSON protocol: look at queue_url and aws.endpoint_url"
	default:
		advice = adviceForBoth(c, err)
	}
	return advised(err, advice)
}

func adviceForBoth(c string, err error) string {
	switch c {
	case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId":
		return "the AWS credentials have expired or are not known: renew them"
	case "SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed":
		return "look at the secret key, the region and this machine's clock"
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the host's name does not resolve: look at the region, the endpoint and DNS"
	case withoutCredentials(err):
		return "no AWS credentials: set them in the environment, a profile or an instance role, and allow sts:AssumeRole where a role is configured"
	}
	return ""
}

func advised(err error, advice string) error {
	if advice == "" || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s: %w", advice, err)
}
