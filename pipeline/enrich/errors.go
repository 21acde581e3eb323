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

// operation is the call that an error is about: of those inside of each other, as when a role is assumed for a call, the
// innermost; nil when the error is of no call.
func operation(err error) (inner *smithy.OperationError) {
	for {
		op, ok := errors.AsType[*smithy.OperationError](err)
		if !ok {
			return inner
		}
		inner, err = op, op.Unwrap()
	}
}

// assuming is the subject of errors of STS: they concern users and roles alike.
const assuming = "session"

// subject is what an error is about.
func subject(p principal, err error) string {
	if op := operation(err); op != nil && op.Service() == "STS" {
		return assuming
	}
	return p.kind.String()
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
	switch op := operation(err); {
	case op != nil && op.Operation() == "GetCallerIdentity":
		return "give trailship AWS credentials that are valid, then run trailship retag"
	case op != nil && op.Operation() == "AssumeRole":
		right = "sts:AssumeRole on the role of account " + p.account + ", and trust in us there,"
	}
	return fmt.Sprintf("allow %s (see deploy/iam), then run trailship retag", right)
}

// once remembers what was said about which place.
type once struct {
	mu   sync.Mutex
	said map[remark]bool
}

// place is what is spoken of: a subject of an account, both "" for all of the program.
type place struct{ account, subject string }

type remark struct {
	place
	what string
}

func newOnce() *once { return &once{said: map[remark]bool{}} }

// maxSaid bounds how many things are remembered.
const maxSaid = 1000

func (o *once) first(about place, what string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := remark{about, what}
	if o.said[r] || len(o.said) >= maxSaid {
		return false
	}
	o.said[r] = true
	return true
}

func (o *once) forget(about place) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for r := range o.said {
		if r.place == about {
			delete(o.said, r)
		}
	}
}
