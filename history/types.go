package history

import (
	"bytes"
	"strings"
)

// The types of resources are those of AWS CloudFormation, as CloudTrail's LookupEvents names them, with CloudTrail's own
// AWS::EC2::Ami and AWS::STS::AssumedRole. Sources: AWS CloudFormation User Guide, "AWS resource and property types
// reference"; IAM Service Authorization Reference, "Actions, resources, and condition keys" (forms of ARNs).

// typeOfARN is the type of the resource that an ARN names, empty when it is not known.
func typeOfARN(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	service, resource := parts[2], parts[5]
	kind := resource
	if i := strings.IndexAny(resource, "/:"); i >= 0 {
		kind = resource[:i]
	}
	switch service {
	case "s3":
		if strings.Contains(resource, "/") {
			return "AWS::S3::Object"
		}
		return "AWS::S3::Bucket"
	case "sns":
		return "AWS::SNS::Topic"
	case "sqs":
		return "AWS::SQS::Queue"
	case "ec2":
		return typeOfEC2(kind)
	case "iam", "sts":
		return typeOfIdentity(kind)
	}
	return typeOfKind(service, kind)
}

func typeOfEC2(kind string) string {
	switch kind {
	case "instance":
		return "AWS::EC2::Instance"
	case "vpc":
		return "AWS::EC2::VPC"
	case "subnet":
		return "AWS::EC2::Subnet"
	case "security-group":
		return "AWS::EC2::SecurityGroup"
	case "security-group-rule":
		return "AWS::EC2::SecurityGroupRule"
	case "network-interface":
		return "AWS::EC2::NetworkInterface"
	case "network-acl":
		return "AWS::EC2::NetworkAcl"
	case "route-table":
		return "AWS::EC2::RouteTable"
	case "volume":
		return "AWS::EC2::Volume"
	case "snapshot":
		return "AWS::EC2::Snapshot"
	case "image":
		return "AWS::EC2::Ami"
	case "key-pair":
		return "AWS::EC2::KeyPair"
	case "vpc-flow-log":
		return "AWS::EC2::FlowLog"
	case "launch-template":
		return "AWS::EC2::LaunchTemplate"
	}
	return ""
}

func typeOfIdentity(kind string) string {
	switch kind {
	case "user":
		return "AWS::IAM::User"
	case "role":
		return "AWS::IAM::Role"
	case "group":
		return "AWS::IAM::Group"
	case "policy":
		return "AWS::IAM::Policy"
	case "instance-profile":
		return "AWS::IAM::InstanceProfile"
	case "mfa":
		return "AWS::IAM::VirtualMFADevice"
	case "saml-provider":
		return "AWS::IAM::SAMLProvider"
	case "oidc-provider":
		return "AWS::IAM::OIDCProvider"
	case "server-certificate":
		return "AWS::IAM::ServerCertificate"
	case "assumed-role":
		return "AWS::STS::AssumedRole"
	case "federated-user":
		return "AWS::STS::FederatedUser"
	}
	return ""
}

// typeOfKind knows the services with a kind or two.
func typeOfKind(service, kind string) string {
	switch service + ":" + kind {
	case "lambda:function":
		return "AWS::Lambda::Function"
	case "lambda:layer":
		return "AWS::Lambda::LayerVersion"
	case "dynamodb:table":
		return "AWS::DynamoDB::Table"
	case "kms:key":
		return "AWS::KMS::Key"
	case "kms:alias":
		return "AWS::KMS::Alias"
	case "secretsmanager:secret":
		return "AWS::SecretsManager::Secret"
	case "ssm:parameter":
		return "AWS::SSM::Parameter"
	case "ssm:document":
		return "AWS::SSM::Document"
	case "ssm:session":
		return "AWS::SSM::Session"
	case "logs:log-group":
		return "AWS::Logs::LogGroup"
	case "cloudtrail:trail":
		return "AWS::CloudTrail::Trail"
	case "cloudtrail:eventdatastore":
		return "AWS::CloudTrail::EventDataStore"
	case "cloudformation:stack":
		return "AWS::CloudFormation::Stack"
	case "cloudformation:stackset":
		return "AWS::CloudFormation::StackSet"
	case "cloudwatch:alarm":
		return "AWS::CloudWatch::Alarm"
	case "rds:db":
		return "AWS::RDS::DBInstance"
	case "rds:cluster":
		return "AWS::RDS::DBCluster"
	case "rds:global-cluster":
		return "AWS::RDS::GlobalCluster"
	case "rds:snapshot":
		return "AWS::RDS::DBSnapshot"
	case "rds:cluster-snapshot":
		return "AWS::RDS::DBClusterSnapshot"
	}
	return typeOfOther(service, kind)
}

func typeOfOther(service, kind string) string {
	switch service + ":" + kind {
	case "events:rule":
		return "AWS::Events::Rule"
	case "guardduty:detector":
		return "AWS::GuardDuty::Detector"
	case "elasticloadbalancing:loadbalancer":
		return "AWS::ElasticLoadBalancingV2::LoadBalancer"
	case "elasticfilesystem:file-system":
		return "AWS::EFS::FileSystem"
	case "ecr:repository":
		return "AWS::ECR::Repository"
	case "ecs:cluster":
		return "AWS::ECS::Cluster"
	case "ecs:service":
		return "AWS::ECS::Service"
	case "ecs:task-definition":
		return "AWS::ECS::TaskDefinition"
	case "eks:cluster":
		return "AWS::EKS::Cluster"
	case "acm:certificate":
		return "AWS::CertificateManager::Certificate"
	case "route53:hostedzone":
		return "AWS::Route53::HostedZone"
	case "route53resolver:resolver-query-log-config":
		return "AWS::Route53Resolver::ResolverQueryLoggingConfig"
	case "rolesanywhere:trust-anchor":
		return "AWS::RolesAnywhere::TrustAnchor"
	case "states:stateMachine":
		return "AWS::StepFunctions::StateMachine"
	case "firehose:deliverystream":
		return "AWS::KinesisFirehose::DeliveryStream"
	case "kinesis:stream":
		return "AWS::Kinesis::Stream"
	}
	return ""
}

// typeOfID tells the type from the first letters of an id: i-0abc. How the rest looks is not checked.
func typeOfID(id []byte) string {
	prefix, rest, ok := bytes.Cut(id, []byte("-"))
	if !ok || len(rest) == 0 || bytes.IndexByte(rest, '-') >= 0 { // vpc-cidr-assoc-0abc is something else
		return ""
	}
	switch string(prefix) {
	case "i":
		return "AWS::EC2::Instance"
	case "vpc":
		return "AWS::EC2::VPC"
	case "subnet":
		return "AWS::EC2::Subnet"
	case "sg":
		return "AWS::EC2::SecurityGroup"
	case "sgr":
		return "AWS::EC2::SecurityGroupRule"
	case "eni":
		return "AWS::EC2::NetworkInterface"
	case "vol":
		return "AWS::EC2::Volume"
	case "snap":
		return "AWS::EC2::Snapshot"
	case "ami":
		return "AWS::EC2::Ami"
	case "acl":
		return "AWS::EC2::NetworkAcl"
	case "rtb":
		return "AWS::EC2::RouteTable"
	case "igw":
		return "AWS::EC2::InternetGateway"
	case "nat":
		return "AWS::EC2::NatGateway"
	case "vpce":
		return "AWS::EC2::VPCEndpoint"
	case "pcx":
		return "AWS::EC2::VPCPeeringConnection"
	case "tgw":
		return "AWS::EC2::TransitGateway"
	case "eipalloc":
		return "AWS::EC2::EIP"
	case "lt":
		return "AWS::EC2::LaunchTemplate"
	case "dopt":
		return "AWS::EC2::DHCPOptions"
	case "fl":
		return "AWS::EC2::FlowLog"
	case "fs":
		return "AWS::EFS::FileSystem"
	}
	return ""
}
