package web

import (
	"errors"
	"net"

	setting "github.com/trailship/trailship/config/value" // the package has a value of its own
)

// Config is the section web: where the page listens, and who may see it.
type Config struct {
	Listen    string         `yaml:"listen"`     // host:port; "" turns the page off
	Token     setting.Secret `yaml:"token"`      // whoever asks must know it
	TokenFile string         `yaml:"token_file"` // or the file that holds it
	TLSCert   string         `yaml:"tls_cert"`
	TLSKey    string         `yaml:"tls_key"`
	Insecure  bool           `yaml:"insecure"` // beyond loopback without a token or TLS: something in front of the page has both
	Hosts     []string       `yaml:"hosts"`    // names that the page is reached by, such as that of a proxy in front of it
}

// Validate returns every Problem of the section.
func (c Config) Validate() error {
	if c.Listen == "" {
		return nil
	}
	var errs []error
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, setting.Wrong("tls_cert", "a certificate and its key belong together: set tls_cert and tls_key"))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return errors.Join(append(errs, setting.Wrong("listen", "%q is no address: write host:port such as 127.0.0.1:8080, or \"\" for no page", c.Listen))...)
	}
	if c.Insecure {
		return errors.Join(errs...)
	}
	if err := CheckListen(c.Listen, c.Token.Reveal(), c.TLSCert != ""); err != nil {
		errs = append(errs, setting.Wrong("listen", "%v; insecure: true leaves that to what stands in front of it", err))
	}
	return errors.Join(errs...)
}
