package awsconfig

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// renewPause is the least time between two readings of the SDK's chain.
const renewPause = 5 * time.Second

// chain are the credentials of the SDK's own chain. The SDK renews those that say when they expire; those of a file or the
// environment it reads once. When a service says that they have expired, the chain is read again, so that a rotated file
// is taken without a restart. It is safe for concurrent use.
type chain struct {
	load func(ctx context.Context) (aws.CredentialsProvider, error)

	mu      sync.Mutex
	current aws.CredentialsProvider
	read    time.Time
	expired bool
}

// Retrieve implements aws.CredentialsProvider.
func (c *chain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return c.provider(ctx).Retrieve(ctx)
}

// provider reads the chain again if it is to. Where that fails the old credentials stay.
func (c *chain) provider(ctx context.Context) aws.CredentialsProvider {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.expired {
		c.expired, c.read = false, time.Now()
		if fresh, err := c.load(ctx); err == nil {
			c.current = fresh
		}
	}
	return c.current
}

// expire makes the next Retrieve read the chain again, unless that was done a moment ago. It reports whether it will.
func (c *chain) expire() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) < renewPause {
		return false
	}
	c.expired = true
	return true
}

// expire lets go of all credentials, after a service refused some of them.
func (l *Loader) expire() {
	if !l.chain.expire() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cache := range l.caches {
		cache.Invalidate()
	}
}

// renewing is the SDK's retryer, and tries again with fresh credentials what was refused for expired ones.
type renewing struct {
	*retry.Standard
	expire func()
}

// IsErrorRetryable implements aws.Retryer.
func (r renewing) IsErrorRetryable(err error) bool {
	if refusedIdentity(err) {
		r.expire()
		return true
	}
	return r.Standard.IsErrorRetryable(err)
}

// refusedIdentity reports whether a service says that the credentials are not, or no longer, good.
func refusedIdentity(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && slices.Contains([]string{
		"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidToken", "InvalidClientTokenId",
		"UnrecognizedClientException", "InvalidAccessKeyId",
	}, api.ErrorCode())
}
