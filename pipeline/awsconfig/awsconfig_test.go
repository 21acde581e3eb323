package awsconfig_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline/awsconfig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// isolate keeps the machine's own AWS configuration out of the test.
func isolate(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIDBASE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_REGION": "",
		"AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
}

// service is an AWS of one answer, and what it was asked.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // "key id region path", or the form of a call to STS
	answer http.HandlerFunc
}

func newService(t *testing.T, start func(http.Handler) *httptest.Server) *service {
	t.Helper()
	s := &service{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "2")
		fmt.Fprint(w, "ok")
	}}
	s.Server = start(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err == nil && r.PostForm.Get("Action") == "AssumeRole" {
		s.note(r.PostForm.Get("RoleArn") + " " + r.PostForm.Get("ExternalId") + " " + r.PostForm.Get("RoleSessionName"))
		fmt.Fprint(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>AKIDROLE</AccessKeyId>`+
			`<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
		return
	}
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(credential, "/"); len(parts) > 2 {
		s.note(parts[0] + " " + parts[2] + " " + r.URL.Path)
	}
	s.answer(w, r)
}

func (s *service) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, what)
}

func get(t *testing.T, c aws.Config) error {
	t.Helper()
	out, err := awsconfig.S3(c).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key")})
	if err == nil {
		err = out.Body.Close()
	}
	return err
}

func TestLoad(t *testing.T) {
	role := awsconfig.Role{ARN: "arn:aws:iam::111122223333:role/base", ExternalID: "e"}
	queue := awsconfig.Role{ARN: "arn:aws:iam::444455556666:role/queue"}
	for _, c := range []struct {
		name   string
		config func(url string) awsconfig.Config
		env    string // the variable that holds the service's URL
		region string
		role   awsconfig.Role
		want   []string
	}{
		{
			name: "endpoint of the section", region: "us-east-1", want: []string{"AKIDBASE us-east-1 /bucket/key"},
			config: func(url string) awsconfig.Config { return awsconfig.Config{EndpointURL: url} },
		},
		{
			name: "endpoint of the environment", env: "AWS_ENDPOINT_URL", region: "us-east-1", want: []string{"AKIDBASE us-east-1 /bucket/key"},
			config: func(string) awsconfig.Config { return awsconfig.Config{} },
		},
		{
			name: "endpoint of one service", env: "AWS_ENDPOINT_URL_S3", region: "us-east-1", want: []string{"AKIDBASE us-east-1 /bucket/key"},
			config: func(string) awsconfig.Config { return awsconfig.Config{} },
		},
		{
			name: "own region", want: []string{"AKIDBASE eu-west-1 /bucket/key"},
			config: func(url string) awsconfig.Config {
				return awsconfig.Config{EndpointURL: url, Region: "eu-west-1"}
			},
		},
		{
			name: "base role", want: []string{role.ARN + " e trailship", "AKIDROLE eu-west-1 /bucket/key"},
			config: func(url string) awsconfig.Config {
				return awsconfig.Config{EndpointURL: url, Region: "eu-west-1", AssumeRole: role}
			},
		},
		{
			name: "role of a queue", region: "us-east-1", role: queue, want: []string{queue.ARN + "  trailship", "AKIDROLE us-east-1 /bucket/key"},
			config: func(url string) awsconfig.Config {
				return awsconfig.Config{EndpointURL: url, Region: "eu-west-1"}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			isolate(t)
			s := newService(t, httptest.NewServer)
			if c.env != "" {
				t.Setenv(c.env, s.URL)
			}
			l, err := awsconfig.Load(t.Context(), c.config(s.URL), zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			if err := get(t, l.Config(c.region, c.role)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, s.asked); diff != "" {
				t.Errorf("the service was asked, -want +got:\n%s", diff)
			}
		})
	}
}

func TestLoader_sharesARole(t *testing.T) {
	isolate(t)
	s := newService(t, httptest.NewServer)
	l, err := awsconfig.Load(t.Context(), awsconfig.Config{EndpointURL: s.URL, Region: "eu-west-1"}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	role := awsconfig.Role{ARN: "arn:aws:iam::111122223333:role/r"}
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		if err := get(t, l.Config(region, role)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{role.ARN + "  trailship", "AKIDROLE eu-west-1 /bucket/key", "AKIDROLE us-east-1 /bucket/key"}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("the service was asked, -want +got:\n%s", diff)
	}
}

func TestLoad_ownCA(t *testing.T) {
	isolate(t)
	s := newService(t, httptest.NewTLSServer)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", file)
	l, err := awsconfig.Load(t.Context(), awsconfig.Config{EndpointURL: s.URL, Region: "eu-west-1"}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := get(t, l.Config("", awsconfig.Role{})); err != nil {
		t.Errorf("with AWS_CA_BUNDLE: %v", err)
	}
}

func TestLoad_fails(t *testing.T) {
	isolate(t)
	t.Setenv("AWS_CA_BUNDLE", filepath.Join(t.TempDir(), "missing.pem"))
	_, err := awsconfig.Load(t.Context(), awsconfig.Config{}, zap.NewNop())
	if err == nil || !strings.HasPrefix(err.Error(), "loading the AWS configuration: ") {
		t.Errorf("got %v, want an error that says what was being done", err)
	}
}

func TestLoad_triesAgain(t *testing.T) {
	for _, c := range []struct {
		name, code    string
		status, tries int
	}{
		{"KMS throttles", "KMS.ThrottlingException", 400, 6},
		{"429 without a code", "", 429, 6},
		{"refused", "AccessDenied", 403, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			isolate(t)
			s := newService(t, httptest.NewServer)
			s.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				if c.code != "" {
					fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", c.code)
				}
			}
			l, err := awsconfig.Load(t.Context(), awsconfig.Config{EndpointURL: s.URL, Region: "eu-west-1"}, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			if get(t, l.Config("", awsconfig.Role{})) == nil || len(s.asked) != c.tries {
				t.Errorf("asked %d times, want %d", len(s.asked), c.tries)
			}
		})
	}
}

// TestLoad_renews rotates the keys in a file: the service refuses the old ones, the next try has the new ones.
func TestLoad_renews(t *testing.T) {
	isolate(t)
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(key string) {
		text := "[default]\naws_access_key_id = " + key + "\naws_secret_access_key = secret\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("AKIDOLD")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "")
		os.Unsetenv(name) // an empty key is one
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	s := newService(t, httptest.NewServer)
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "AKIDNEW") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")
			return
		}
		w.Header().Set("Content-Length", "2")
		fmt.Fprint(w, "ok")
	}
	l, err := awsconfig.Load(t.Context(), awsconfig.Config{Region: "eu-west-1", EndpointURL: s.URL}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	client := awsconfig.S3(l.Config("", awsconfig.Role{}))
	get := func() error {
		out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key")})
		if err == nil {
			out.Body.Close()
		}
		return err
	}
	if _, err := l.Config("", awsconfig.Role{}).Credentials.Retrieve(t.Context()); err != nil { // the old ones are in use
		t.Fatal(err)
	}
	write("AKIDNEW")
	if err := get(); err != nil {
		t.Errorf("with rotated keys: %v", err)
	}
}

func TestLoad_logs(t *testing.T) {
	isolate(t)
	s := newService(t, httptest.NewServer)
	core, logs := observer.New(zapcore.DebugLevel)
	l, err := awsconfig.Load(context.Background(), awsconfig.Config{EndpointURL: s.URL, Region: "eu-west-1"}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config("", awsconfig.Role{})
	if err := get(t, c); err != nil {
		t.Fatal(err)
	}
	if logs.Len() > 0 {
		t.Errorf("an object without a checksum is logged: %v", logs.All())
	}
	c.Logger.Logf(logging.Warn, "%d things", 2)
	if got := logs.FilterMessage("the aws sdk warns").FilterField(zap.String("text", "2 things")).Len(); got != 1 {
		t.Errorf("the SDK's warning does not arrive: %v", logs.All())
	}
}

func TestConfig_Validate(t *testing.T) {
	for _, c := range []struct {
		name   string
		config awsconfig.Config
		want   string
	}{
		{"nothing", awsconfig.Config{}, ""},
		{"everything", awsconfig.Config{Region: "eu-west-1", EndpointURL: "http://127.0.0.1:9000", AssumeRole: awsconfig.Role{ARN: "arn:aws-cn:iam::111122223333:role/a/b", ExternalID: "e"}}, ""},
		{"endpoint without a scheme", awsconfig.Config{EndpointURL: "127.0.0.1:9000"}, `endpoint_url: "127.0.0.1:9000" is no URL of a service: write one such as https://s3.example.com:9000`},
		{"region of a name", awsconfig.Config{Region: "EU (Ireland)"}, `region: "EU (Ireland)" is no region: write its code, such as eu-west-1`},
		{"a user", awsconfig.Config{AssumeRole: awsconfig.Role{ARN: "arn:aws:iam::111122223333:user/u"}}, `assume_role.arn: "arn:aws:iam::111122223333:user/u" is no role: write one such as arn:aws:iam::111122223333:role/trailship`},
		{"only an external id", awsconfig.Config{AssumeRole: awsconfig.Role{ExternalID: "e"}}, `assume_role.external_id: it belongs to a role: set arn as well, or remove it`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := c.config.Validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
