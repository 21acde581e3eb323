package history

import "strings"

// typeOfMember tells the type of a resource from the key its name stands under, in any request or response or in those of
// one service. Names have no form of their own, so that this is all there is. Source: the API references of the services;
// the keys are those of the sample records and of MAPPING section 12.
func typeOfMember(service, key string) string {
	switch key {
	case "bucketName", "s3BucketName":
		return "AWS::S3::Bucket"
	case "functionName":
		return "AWS::Lambda::Function"
	case "roleName":
		return "AWS::IAM::Role"
	case "instanceProfileName":
		return "AWS::IAM::InstanceProfile"
	case "logGroupName":
		return "AWS::Logs::LogGroup"
	case "logStreamName":
		return "AWS::Logs::LogStream"
	case "stackName":
		return "AWS::CloudFormation::Stack"
	case "tableName":
		return "AWS::DynamoDB::Table"
	case "secretId", "secretIdList":
		return "AWS::SecretsManager::Secret"
	case "dBInstanceIdentifier":
		return "AWS::RDS::DBInstance"
	case "dBClusterIdentifier":
		return "AWS::RDS::DBCluster"
	case "dBSnapshotIdentifier":
		return "AWS::RDS::DBSnapshot"
	case "dBClusterSnapshotIdentifier":
		return "AWS::RDS::DBClusterSnapshot"
	case "queueUrl":
		return "AWS::SQS::Queue"
	case "detectorId":
		return "AWS::GuardDuty::Detector"
	case "alarmNames":
		return "AWS::CloudWatch::Alarm"
	case "configurationRecorderName":
		return "AWS::Config::ConfigurationRecorder"
	case "repositoryName":
		return "AWS::ECR::Repository"
	}
	return typeOfServiceMember(service, key)
}

// typeOfSSM is the type of what has a name in an event of Systems Manager.
func typeOfSSM(event string) string {
	switch {
	case strings.Contains(event, "Parameter"):
		return "AWS::SSM::Parameter"
	case strings.Contains(event, "Document"):
		return "AWS::SSM::Document"
	}
	return ""
}

// typeOfServiceMember knows the keys that mean something else to every service.
func typeOfServiceMember(service, key string) string {
	switch service + "." + key {
	case "iam.userName", "iam.newUserName":
		return "AWS::IAM::User"
	case "iam.groupName":
		return "AWS::IAM::Group"
	case "iam.policyName":
		return "AWS::IAM::Policy"
	case "iam.accessKeyId":
		return "AWS::IAM::AccessKey"
	case "ec2.keyName":
		return "AWS::EC2::KeyPair"
	case "ec2.groupName":
		return "AWS::EC2::SecurityGroup"
	case "cloudtrail.name", "cloudtrail.trailName":
		return "AWS::CloudTrail::Trail"
	case "kms.keyId":
		return "AWS::KMS::Key"
	case "kms.aliasName":
		return "AWS::KMS::Alias"
	case "events.rule":
		return "AWS::Events::Rule"
	case "ssm.documentName":
		return "AWS::SSM::Document"
	case "ssm.sessionId":
		return "AWS::SSM::Session"
	case "bedrock.modelId":
		return "AWS::Bedrock::FoundationModel"
	}
	return ""
}
