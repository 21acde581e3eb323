package enrich

import (
	"errors"
	"fmt"
	"sync"

	"github.com/aws/smithy-go"
)

// errUnreachable is the error of a principal of another account when no role to ask with is configured.
var errUnreachable = errors.New("the account is not ours and enrich.iam_tags.assume_role_name is empty")

// cause is AWS's code for an error, so that the same one is said once.
func cause(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return "unreachable"
}

// denied reports whether a right is missing. Source: IAM API Reference, "Common errors".
func denied(err error) bool {
	switch cause(err) {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InvalidClientTokenId", "SignatureDoesNotMatch",
		"UnrecognizedClientException", "AuthFailure":
		return true
	}
	return false
}

// missing reports whether IAM says that there is no such user or role.
func missing(err error) bool {
	return cause(err) == "NoSuchEntity" || cause(err) == "NoSuchEntityException"
}

// advice says what to do about an error.
func advice(p principal, err error) string {
	if !denied(err) {
		return "nothing: it is tried again; trailship retag fills in what went untagged"
	}
	right := "iam:GetUser"
	if p.kind == role {
		right = "iam:GetRole"
	}
	if operation, ok := errors.AsType[*smithy.OperationError](err); ok && operation.Service() == "STS" {
		right = "sts:AssumeRole on the role of account " + p.account + ", and trust in us there,"
	}
	return fmt.Sprintf("allow %s (see deploy/iam), then run trailship retag", right)
}

// once remembers what was said about whom.
type once struct {
	mu   sync.Mutex
	said map[[2]string]bool
}

func newOnce() *once { return &once{said: map[[2]string]bool{}} }

// maxSaid bounds how many things are remembered.
const maxSaid = 1000

func (o *once) first(about, what string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said[[2]string{about, what}] || len(o.said) >= maxSaid {
		return false
	}
	o.said[[2]string{about, what}] = true
	return true
}

func (o *once) forget(about string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key := range o.said {
		if key[0] == about {
			delete(o.said, key)
		}
	}
}
