// Package elasticsearch connects the bulk engine to Elasticsearch, with the transport of Elastic's own client. The client's
// typed API and product check are left aside: they refuse what is compatible, after the server has done the work.
package elasticsearch

import (
	"errors"

	"github.com/elastic/go-elasticsearch/v8"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/sinks/cluster"
)

// Config is the section sinks.elasticsearch.
type Config struct {
	URLs          []string     `yaml:"urls"`
	CloudID       string       `yaml:"cloud_id"` // of Elastic Cloud, in place of urls
	APIKey        value.Secret `yaml:"api_key"`
	APIKeyFile    string       `yaml:"api_key_file"`
	Username      string       `yaml:"username"`
	Password      value.Secret `yaml:"password"`
	PasswordFile  string       `yaml:"password_file"`
	CAFile        string       `yaml:"ca_file"`
	CAFingerprint string       `yaml:"ca_fingerprint"`
	ClientCert    string       `yaml:"client_cert"`
	ClientKey     string       `yaml:"client_key"`
}

// Validate returns every *value.Problem of the section, joined.
func (c Config) Validate() error {
	errs := []error{cluster.CheckURLs(c.URLs), c.tls().Validate()}
	if (len(c.URLs) == 0) == (c.CloudID == "") {
		errs = append(errs, value.Wrong("urls", "write urls: [\"https://host:9200\"], or cloud_id, and only one of them"))
	}
	if (c.APIKey != "" || c.APIKeyFile != "") && c.Username != "" {
		errs = append(errs, value.Wrong("api_key", "username and password stand here too: keep one of them"))
	}
	if (c.Username == "") != (c.Password == "" && c.PasswordFile == "") {
		errs = append(errs, value.Wrong("username", "username and password go together: write both"))
	}
	return errors.Join(errs...)
}

func (c Config) tls() cluster.TLS {
	return cluster.TLS{CAFile: c.CAFile, CAFingerprint: c.CAFingerprint, ClientCert: c.ClientCert, ClientKey: c.ClientKey}
}

// Transport returns the transport for up to conns requests at once. It asks the cluster nothing. Its errors are
// *value.Problem.
func (c Config) Transport(conns int) (cluster.Transport, error) {
	http, err := c.tls().HTTP(conns)
	if err != nil {
		return nil, err
	}
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: c.URLs, CloudID: c.CloudID,
		APIKey: c.APIKey.Reveal(), Username: c.Username, Password: c.Password.Reveal(),
		Transport: http, DisableRetry: true, DisableMetaHeader: true,
	})
	if err != nil {
		return nil, value.Wrong("urls", "%v", err)
	}
	return client.Transport, nil
}
