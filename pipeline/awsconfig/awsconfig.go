// Package awsconfig turns the aws section of the configuration into what the AWS SDK's clients are built from: region,
// endpoint, credentials with an optional role, one HTTP client, retries, and the SDK's log lines in ours.
package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
)

// Config is the aws section. All of it is optional: what is not set comes from the SDK's own chain (environment, profile,
// instance role).
type Config struct {
	Region      string `yaml:"region"`
	EndpointURL string `yaml:"endpoint_url"` // of an S3- and SQS-compatible service; AWS_ENDPOINT_URL and its per-service forms work too
	AssumeRole  Role   `yaml:"assume_role"`
}

// Role is an IAM role to work as. The zero Role means none.
type Role struct {
	ARN        string `yaml:"arn"`
	ExternalID string `yaml:"external_id"`
}

// Validate checks the section without asking AWS. Its errors are *value.Problem, joined.
func (c Config) Validate() error {
	var errs []error
	if c.EndpointURL != "" {
		u, err := url.Parse(c.EndpointURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			errs = append(errs, value.Wrong("endpoint_url", "%q is no URL of a service: write one such as https://s3.example.com:9000", c.EndpointURL))
		}
	}
	if strings.ContainsAny(c.Region, " /:.") {
		errs = append(errs, value.Wrong("region", "%q is no region: write its code, such as eu-west-1", c.Region))
	}
	errs = append(errs, value.Under("assume_role", c.AssumeRole.Validate()))
	return errors.Join(errs...)
}

// Validate checks that the role, if one is set, is named by an ARN of IAM's.
func (r Role) Validate() error {
	if r.ARN == "" {
		if r.ExternalID != "" {
			return value.Wrong("external_id", "it belongs to a role: set arn as well, or remove it")
		}
		return nil
	}
	a, err := arn.Parse(r.ARN)
	if err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/") {
		return value.Wrong("arn", "%q is no role: write one such as arn:aws:iam::111122223333:role/trailship", r.ARN)
	}
	return nil
}

// A Loader hands out SDK configurations for regions and roles. All of them share one base, and one role's credentials are
// fetched once. It is safe for concurrent use.
type Loader struct {
	base  aws.Config
	chain *chain

	mu     sync.Mutex
	roles  map[Role]aws.CredentialsProvider
	caches []*aws.CredentialsCache // of the chain and of every role
}

// Load reads the SDK's own chain and lays c over it. It asks no service except what that chain itself asks: credentials are
// fetched when the first request needs them.
func Load(ctx context.Context, c Config, log *zap.Logger) (*Loader, error) {
	l := &Loader{roles: map[Role]aws.CredentialsProvider{}}
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(httpClient()),
		config.WithRetryer(func() aws.Retryer { return renewing{retryer(), l.expire} }),
		config.WithLogger(logger(log.Named("aws"))),
		config.WithAPIOptions([]func(*middleware.Stack) error{plainBodies}),
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.EndpointURL != "" {
		options = append(options, config.WithBaseEndpoint(c.EndpointURL))
	}
	base, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	l.base = base
	l.chain = &chain{current: base.Credentials, load: func(ctx context.Context) (aws.CredentialsProvider, error) {
		again, err := config.LoadDefaultConfig(ctx, options...)
		return again.Credentials, err
	}}
	if base.Credentials != nil {
		l.base.Credentials = l.cached(l.chain)
	}
	if c.AssumeRole != (Role{}) {
		l.base.Credentials = l.credentials(base.Region, c.AssumeRole)
	}
	return l, nil
}

// Region is the region of the aws section or of the SDK's own chain, "" when neither has one.
func (l *Loader) Region() string { return l.base.Region }

// Config is the configuration for clients in region, working as role. An empty region is the Loader's own, a zero role its
// own identity.
func (l *Loader) Config(region string, role Role) aws.Config {
	c := l.base.Copy()
	if region != "" {
		c.Region = region
	}
	if role != (Role{}) {
		c.Credentials = l.credentials(c.Region, role)
	}
	return c
}

// credentials returns the role's cached credentials. The role is assumed through the STS of region, as the base identity.
func (l *Loader) credentials(region string, role Role) aws.CredentialsProvider {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.roles[role]; ok {
		return p
	}
	base := l.base.Copy()
	base.Region = region
	p := l.cached(
		stscreds.NewAssumeRoleProvider(sts.NewFromConfig(base), role.ARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "trailship"
			if role.ExternalID != "" {
				o.ExternalID = aws.String(role.ExternalID)
			}
		}),
		func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute },
	)
	l.roles[role] = p
	return p
}

// cached keeps a provider's credentials until they expire or are refused.
func (l *Loader) cached(p aws.CredentialsProvider, options ...func(*aws.CredentialsCacheOptions)) aws.CredentialsProvider {
	cache := aws.NewCredentialsCache(p, options...)
	l.caches = append(l.caches, cache)
	return cache
}

// S3 returns a client for c. With an endpoint of the user's own it writes the bucket into the path, since names such as
// bucket.127.0.0.1 do not resolve; and it does not log a line for each object that has no checksum.
func S3(c aws.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) {
		o.UsePathStyle = o.UsePathStyle || o.BaseEndpoint != nil
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

const (
	connections = 1024 // kept open to one host: as many as there may be messages in flight
	silence     = 75 * time.Second
	idle        = 45 * time.Second
)

// httpClient is the SDK's own buildable client, because with any other AWS_CA_BUNDLE makes the loading fail. A connection
// that is silent for the time of silence fails. The SDK counts that time from the last byte read, a connection's idle time
// included: idle and the 20 seconds of a long poll must fit into it.
func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithReadTimeout(silence).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 0
		t.MaxIdleConnsPerHost = connections
		t.IdleConnTimeout = idle
	})
}

const (
	tries     = 6 // of a request
	firstWait = 200 * time.Millisecond
	lastWait  = 5 * time.Second
)

// retryer is the SDK's standard one, and also tries again what it does not know as passing: a 429 without a code, and S3
// passing on that KMS throttles. Its waits begin shorter, since a 503 of S3 is mostly over at once, and it tries more often,
// so that all of them take as long.
func retryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = tries
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return rand.N(min(firstWait<<min(max(attempt-1, 0), tries), lastWait)), nil
		})
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
			retry.RetryableErrorCode{Codes: map[string]struct{}{"KMS.ThrottlingException": {}}},
		)
	})
}

func logger(log *zap.Logger) logging.Logger {
	return logging.LoggerFunc(func(class logging.Classification, format string, v ...any) {
		text := zap.String("text", fmt.Sprintf(format, v...))
		if class == logging.Warn {
			log.Warn("the aws sdk warns", text)
			return
		}
		log.Debug("the aws sdk says", text)
	})
}
