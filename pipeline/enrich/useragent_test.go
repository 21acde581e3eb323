package enrich_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/test/standin"
)

// The table of MAPPING section 13, and what Elastic's golden documents hold.
func TestUserAgent(t *testing.T) {
	g := newRig(t, &standin.IAM{}, enrich.Config{UserAgent: enrich.UserAgent{Enabled: true}})
	const awsCLI2 = "aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0 md/arch#x86_64 lang/python#3.12.6 md/command#s3api.copy-object"
	type os struct{ name, version string }
	for _, tt := range []struct {
		text, name, version, device string
		os                          os
	}{
		{awsCLI2, "aws-cli", "2.17.60", "Other", os{}},
		{"[" + awsCLI2 + "]", "aws-cli", "2.17.60", "Other", os{}},
		{"aws-cli/2.18.17 md/awscrt#0.22.0 ua/2.0 os/linux#6.8.0-1016-aws md/arch#x86_64 md/command#sns.create-topic", "aws-cli", "2.18.17", "Other", os{"Linux", ""}},
		{"aws-cli/1.16.248 Python/3.4.7 Linux/4.9.184-0.1.ac botocore/1.12.239", "aws-cli", "1.16.248", "Spider", os{"Linux", "4.9.184"}},
		{"aws-cli/2.14.5 Python/3.11.6 Darwin/23.6.0 exe/x86_64 prompt/off command/lambda.create-function", "aws-cli", "2.14.5", "Other", os{}},
		{"aws-cli/1.16.310 Python/3.8.1 Darwin/18.7.0 botocore/1.13.46", "aws-cli", "1.16.310", "Spider", os{}},
		{"Boto3/1.35.50 md/Botocore#1.35.50 ua/2.0 os/linux#6.8.0-1016-aws md/arch#x86_64 Botocore/1.35.50", "Boto3", "1.35.50", "Spider", os{"Linux", ""}},
		{"aws-sdk-go/1.55.5 (go1.22.5; darwin; arm64)", "aws-sdk-go", "1.55.5", "Other", os{}},
		{"aws-sdk-nodejs/2.1259.0 darwin/v18.12.1 promise", "aws-sdk-nodejs", "2.1259.0", "Other", os{}},
		{"APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) aws-sdk-go/1.44.232 (go1.19.6; linux; amd64)", "aws-sdk-go", "1.44.232", "Other", os{"Linux", ""}},
		{"APN/1.0 HashiCorp/1.0 Terraform/1.9.8 aws-sdk-go-v2/1.32.2 ua/2.1 os/macos lang/go#1.23.2 md/GOOS#darwin", "Other", "", "Other", os{}},
		{"Go-http-client/1.1", "Go-http-client", "1.1", "Other", os{}},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", "Chrome", "130.0.0.0", "Mac", os{"Mac OS X", "10.15.7"}},
		{"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:24.0) Gecko/20100101 Firefox/24.0", "Firefox", "24.0", "Other", os{"Windows", "7"}},
		{"EC2ConsoleBackend, aws-sdk-java/Linux/x.xx.fleetxen Java_HotSpot(TM)_64-Bit_Server_VM/xx", "Other", "", "Other", os{"Linux", ""}},
		{"stratus-red-team_b8a5f1a0-0c3d-4c55-8a1b-0123456789ab", "Other", "", "Other", os{}},
		{"a-b-1-stratus_b8a5f1a0-0c3d-4c55-8a1b-0123456789ab-B8A5F1A0-0C3D-4C55-8A1B-0123456789AB Boto3/1.35.50-x", "Boto3", "1.35.50", "Spider", os{}},
		{"signin.amazonaws.com", "Other", "", "Other", os{}},
		{"ssm.amazonaws.com", "Other", "", "Other", os{}},
		{"AWSConsole", "Other", "", "Other", os{}},
		{"console.amazonaws.com", "Other", "", "Other", os{}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			want := map[string]any{"original": tt.text, "name": tt.name, "device": map[string]any{"name": tt.device}}
			if tt.version != "" {
				want["version"] = tt.version
			}
			if tt.os.name != "" {
				system := map[string]any{"name": tt.os.name}
				if tt.os.version != "" {
					system["version"], system["full"] = tt.os.version, tt.os.name+" "+tt.os.version
				}
				want["os"] = system
			}
			got := g.document(t, `{"eventName":"X","userAgent":"`+tt.text+`"}`)["user_agent"]
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
