// Package opensearch connects the bulk engine to OpenSearch, with the transport of its own client, and SigV4 signatures
// for Amazon OpenSearch Service and Serverless.
package opensearch

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/opensearch-project/opensearch-go/v4/opensearchtransport"
	"github.com/opensearch-project/opensearch-go/v4/signer/awsv2"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/sinks/cluster"
)

// LeafLimit is how many bytes the path and value of a leaf of a flat_object may have; OpenSearch refuses the document of a
// longer one.
const LeafLimit = 32_000

// Config is the section sinks.opensearch.
type Config struct {
	URLs          []string     `yaml:"urls"`
	Username      string       `yaml:"username"`
	Password      value.Secret `yaml:"password"`
	PasswordFile  string       `yaml:"password_file"`
	CAFile        string       `yaml:"ca_file"`
	CAFingerprint string       `yaml:"ca_fingerprint"`
	ClientCert    string       `yaml:"client_cert"`
	ClientKey     string       `yaml:"client_key"`
	SigV4         *SigV4       `yaml:"sigv4"`
}

// SigV4 is how requests to Amazon OpenSearch are signed, with the credentials of the aws section.
type SigV4 struct {
	Service string `yaml:"service"` // es, or aoss for Serverless
	Region  string `yaml:"region"`  // "": that of the aws section
}

// Validate returns every *value.Problem of the section, joined.
func (c Config) Validate() error {
	errs := []error{cluster.CheckURLs(c.URLs), c.tls().Validate()}
	if len(c.URLs) == 0 {
		errs = append(errs, value.Wrong("urls", "write urls: [\"https://host:9200\"]"))
	}
	if (c.Username == "") != (c.Password == "" && c.PasswordFile == "") {
		errs = append(errs, value.Wrong("username", "username and password go together: write both"))
	}
	if c.SigV4 != nil && c.Username != "" {
		errs = append(errs, value.Wrong("sigv4", "username and password stand here too: keep one of them"))
	}
	if c.SigV4 != nil && c.SigV4.Service != "es" && c.SigV4.Service != "aoss" {
		errs = append(errs, value.Wrong("sigv4.service", "%q is not known: write es, or aoss for Serverless", c.SigV4.Service))
	}
	return errors.Join(errs...)
}

func (c Config) tls() cluster.TLS {
	return cluster.TLS{CAFile: c.CAFile, CAFingerprint: c.CAFingerprint, ClientCert: c.ClientCert, ClientKey: c.ClientKey}
}

// Transport returns the transport for up to conns requests at once. account gives AWS credentials for a region, "" being
// its own, and is only called for signed requests. It asks the cluster nothing. Its errors are *value.Problem.
func (c Config) Transport(conns int, account func(region string) aws.Config) (cluster.Transport, error) {
	connections, err := c.tls().HTTP(conns)
	if err != nil {
		return nil, err
	}
	config := opensearchtransport.Config{
		Username: c.Username, Password: c.Password.Reveal(), Transport: connections, DisableRetry: true,
		// Nothing but what we call is called: the writer role allows no more.
		HealthCheck: opensearchtransport.NoOpHealthCheck, MaxRetryClusterHealth: -1, NodeStatsInterval: -1,
	}
	for _, s := range c.URLs {
		u, err := url.Parse(s)
		if err != nil {
			return nil, value.Wrong("urls", "it is no URL: write https://host:port")
		}
		config.URLs = append(config.URLs, u)
	}
	if c.SigV4 != nil {
		config.Signer, err = awsv2.NewSignerWithService(account(c.SigV4.Region), c.SigV4.Service)
		if err != nil {
			return nil, value.Wrong("sigv4", "%v", err)
		}
	}
	t, err := opensearchtransport.New(config)
	if err != nil {
		return nil, value.Wrong("urls", "%v", err)
	}
	return client{t}, nil
}

// client gives answers as they come; the transport's own Perform would read them whole first.
type client struct{ *opensearchtransport.Client }

func (c client) Perform(req *http.Request) (*http.Response, error) { return c.Stream(req) }
