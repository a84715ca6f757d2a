# Verifies the DKIM signatures of messages with Mail::DKIM and says how many of each message are good.
#
# Usage: dkim_check.pl RECORDS FOLDER
# RECORDS has a line for each key: the name of its DNS record, a tab, and the text. FOLDER holds messages.
# Prints a line for each message: its file name, the good signatures, and all signatures, with tabs between.
# Needs the Debian package libmail-dkim-perl; the DNS is not asked.

use strict;
use warnings;
use Mail::DKIM::Verifier;
use Net::DNS::RR;

my ($records_file, $folder) = @ARGV;
my %records;
open(my $lines, '<', $records_file) or die "$records_file: $!\n";
while (<$lines>) {
    chomp;
    my ($name, $text) = split /\t/, $_, 2;
    $records{lc $name} = $text;
}
close $lines;

{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ($name, $type) = @_;
        my $text = $records{lc $name};
        return () unless $type eq 'TXT' && defined $text;
        # As the DNS has it: in strings of at most 255 octets.
        my @strings = unpack '(a255)*', $text;
        return (Net::DNS::RR->new(owner => $name, type => 'TXT', txtdata => [@strings]));
    };
}

opendir(my $entries, $folder) or die "$folder: $!\n";
for my $name (sort grep { !/^\./ } readdir $entries) {
    open(my $file, '<:raw', "$folder/$name") or die "$name: $!\n";
    my $message = do { local $/; <$file> };
    close $file;
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($message);
    $verifier->CLOSE;
    my @signatures = $verifier->signatures;
    my $good = grep { $_->result eq 'pass' } @signatures;
    printf "%s\t%d\t%d\n", $name, $good, scalar @signatures;
}
