-- store::Session::create_archive_partition
SELECT callsink.create_archive_partition($1)
