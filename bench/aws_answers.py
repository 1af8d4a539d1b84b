"""An answer of DescribeInstances as EC2 writes it, and what botocore makes of it."""
import gc
import json
import re
import resource
import subprocess
import sys
import time

MACHINE = """
        <item>
            <reservationId>r-{n:017x}</reservationId>
            <ownerId>123456789012</ownerId>
            <groupSet/>
            <instancesSet>
                <item>
                    <instanceId>i-{n:017x}</instanceId>
                    <imageId>ami-0abcdef1234567890</imageId>
                    <instanceState>
                        <code>80</code>
                        <name>stopped</name>
                    </instanceState>
                    <privateDnsName>ip-10-0-{a}-{b}.eu-west-3.compute.internal</privateDnsName>
                    <dnsName/>
                    <reason>User initiated (2026-11-22 10:00:00 GMT)</reason>
                    <keyName>NAVO</keyName>
                    <amiLaunchIndex>0</amiLaunchIndex>
                    <productCodes/>
                    <instanceType>t3.micro</instanceType>
                    <launchTime>2026-11-22T09:{b60:02d}:00.000Z</launchTime>
                    <placement>
                        <availabilityZone>eu-west-3a</availabilityZone>
                        <groupName/>
                        <tenancy>default</tenancy>
                    </placement>
                    <monitoring>
                        <state>disabled</state>
                    </monitoring>
                    <subnetId>subnet-0123456789abcdef0</subnetId>
                    <vpcId>vpc-0123456789abcdef0</vpcId>
                    <privateIpAddress>10.0.{a}.{b}</privateIpAddress>
                    <stateReason>
                        <code>Client.UserInitiatedShutdown</code>
                        <message>Client.UserInitiatedShutdown: User initiated shutdown</message>
                    </stateReason>
                    <sourceDestCheck>true</sourceDestCheck>
                    <groupSet>
                        <item>
                            <groupId>sg-0123456789abcdef0</groupId>
                            <groupName>NAVO</groupName>
                        </item>
                    </groupSet>
                    <architecture>x86_64</architecture>
                    <rootDeviceType>ebs</rootDeviceType>
                    <rootDeviceName>/dev/xvda</rootDeviceName>
                    <blockDeviceMapping>
                        <item>
                            <deviceName>/dev/xvda</deviceName>
                            <ebs>
                                <volumeId>vol-{n:017x}</volumeId>
                                <status>attached</status>
                                <attachTime>2026-11-20T09:00:01.000Z</attachTime>
                                <deleteOnTermination>true</deleteOnTermination>
                            </ebs>
                        </item>
                    </blockDeviceMapping>
                    <virtualizationType>hvm</virtualizationType>
                    <clientToken>7d1a24ce-0000-4000-8000-{n:012x}</clientToken>
                    <tagSet>
                        <item>
                            <key>Name</key>
                            <value>vantage {n} &amp; friends</value>
                        </item>
                        <item>
                            <key>parallax:fleet</key>
                            <value>NAVO</value>
                        </item>
                        <item>
                            <key>parallax:role</key>
                            <value>vantage</value>
                        </item>
                    </tagSet>
                    <hypervisor>xen</hypervisor>
                    <networkInterfaceSet>
                        <item>
                            <networkInterfaceId>eni-{n:017x}</networkInterfaceId>
                            <subnetId>subnet-0123456789abcdef0</subnetId>
                            <vpcId>vpc-0123456789abcdef0</vpcId>
                            <description/>
                            <ownerId>123456789012</ownerId>
                            <status>in-use</status>
                            <macAddress>0a:00:00:00:{a:02x}:{b:02x}</macAddress>
                            <privateIpAddress>10.0.{a}.{b}</privateIpAddress>
                            <privateDnsName>ip-10-0-{a}-{b}.eu-west-3.compute.internal</privateDnsName>
                            <sourceDestCheck>true</sourceDestCheck>
                            <groupSet>
                                <item>
                                    <groupId>sg-0123456789abcdef0</groupId>
                                    <groupName>NAVO</groupName>
                                </item>
                            </groupSet>
                            <attachment>
                                <attachmentId>eni-attach-{n:017x}</attachmentId>
                                <deviceIndex>0</deviceIndex>
                                <status>attached</status>
                                <attachTime>2026-11-20T09:00:00.000Z</attachTime>
                                <deleteOnTermination>true</deleteOnTermination>
                                <networkCardIndex>0</networkCardIndex>
                            </attachment>
                            <privateIpAddressesSet>
                                <item>
                                    <privateIpAddress>10.0.{a}.{b}</privateIpAddress>
                                    <privateDnsName>ip-10-0-{a}-{b}.eu-west-3.compute.internal</privateDnsName>
                                    <primary>true</primary>
                                </item>
                            </privateIpAddressesSet>
                            <ipv6AddressesSet/>
                            <interfaceType>interface</interfaceType>
                        </item>
                    </networkInterfaceSet>
                    <iamInstanceProfile>
                        <arn>arn:aws:iam::123456789012:instance-profile/parallax</arn>
                        <id>AIPAEXAMPLEEXAMPLEAAA</id>
                    </iamInstanceProfile>
                    <ebsOptimized>false</ebsOptimized>
                    <enaSupport>true</enaSupport>
                    <cpuOptions>
                        <coreCount>1</coreCount>
                        <threadsPerCore>2</threadsPerCore>
                    </cpuOptions>
                    <capacityReservationSpecification>
                        <capacityReservationPreference>open</capacityReservationPreference>
                    </capacityReservationSpecification>
                    <hibernationOptions>
                        <configured>false</configured>
                    </hibernationOptions>
                    <enclaveOptions>
                        <enabled>false</enabled>
                    </enclaveOptions>
                    <metadataOptions>
                        <state>applied</state>
                        <httpTokens>required</httpTokens>
                        <httpPutResponseHopLimit>2</httpPutResponseHopLimit>
                        <httpEndpoint>enabled</httpEndpoint>
                        <httpProtocolIpv6>disabled</httpProtocolIpv6>
                        <instanceMetadataTags>disabled</instanceMetadataTags>
                    </metadataOptions>
                    <platformDetails>Linux/UNIX</platformDetails>
                    <usageOperation>RunInstances</usageOperation>
                    <usageOperationUpdateTime>2026-11-20T09:00:00.000Z</usageOperationUpdateTime>
                    <privateDnsNameOptions>
                        <hostnameType>ip-name</hostnameType>
                        <enableResourceNameDnsARecord>false</enableResourceNameDnsARecord>
                        <enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>
                    </privateDnsNameOptions>
                    <maintenanceOptions>
                        <autoRecovery>default</autoRecovery>
                    </maintenanceOptions>
                </item>
            </instancesSet>
        </item>"""


def describe_instances(count, indented=False):
    """The bytes of an answer with `count` machines: 4.5 kB each, 8 kB indented."""
    machine = MACHINE if indented else re.sub(r"\n *", "", MACHINE)
    machines = "".join(machine.format(n=n, a=n // 250 % 250, b=n % 250, b60=n % 60) for n in range(count))
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">\n'
            f"    <requestId>7d1a24ce-0000-4000-8000-000000000000</requestId>\n    <reservationSet>{machines}\n"
            f"    </reservationSet>\n</DescribeInstancesResponse>\n").encode()


def botocore_main(path, rounds):
    """In a process of its own: what botocore's parser takes, as it is set up in a client."""
    import botocore.loaders
    from botocore.model import ServiceModel
    from botocore.parsers import ResponseParserFactory
    model = ServiceModel(botocore.loaders.Loader().load_service_model("ec2", "service-2", api_version="2016-11-15"), "ec2")
    shape = model.operation_model("DescribeInstances").output_shape
    parser = ResponseParserFactory().create_parser("ec2")
    with open(path, "rb") as file:
        body = file.read()
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        answer = parser.parse({"status_code": 200, "headers": {}, "body": body}, shape)
        times.append(time.process_time() - start)
    print(json.dumps({"machines": len(answer["Reservations"]), "seconds": times,
                      "peak_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def botocore(path, rounds):
    done = subprocess.run(["/usr/bin/python3", __file__, str(path), str(rounds)], capture_output=True, text=True, check=True,
                          timeout=300)
    return json.loads(done.stdout)


if __name__ == "__main__":
    botocore_main(sys.argv[1], int(sys.argv[2]))
