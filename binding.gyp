# What a user's install builds. native/sources.txt is the one source list, which CMakeLists.txt reads too.
# Floating-point flags must keep IEEE semantics for NaN, infinities and denormals: never -ffast-math.
{
  'variables': {
    'float_flags': ['-ffp-contract=off', '-fno-math-errno', '-fno-trapping-math'],
  },
  'targets': [
    {
      'target_name': 'galvani',
      'sources': [
        'native/binding/addon.cc',
        'native/binding/async_run.cc',
        'native/binding/buffers.cc',
        'native/binding/intrinsics.cc',
        '<!@(node -p "require(\'node:fs\').readFileSync(\'native/sources.txt\', \'utf8\')")',
      ],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS', 'NDEBUG'],
      # common.gypi, which comes with Node's headers, already passes -O3 -Wall -Wextra -fno-exceptions -fno-rtti -pthread.
      # Kernels say what is a vector. What the compiler makes vectors of beside are neighbouring members, which it then
      # reads together just after each was written alone: the processor has to wait for that.
      'cflags': [
        '-fno-tree-slp-vectorize',
        '-fvisibility=hidden',
        '-ffunction-sections',
        '-fdata-sections',
        '<@(float_flags)',
      ],
      'cflags_cc': ['-std=c++17', '-fvisibility-inlines-hidden'],
      'conditions': [
        [
          'OS=="linux"',
          {
            # One binary for every distribution: it carries its own libstdc++, and exports nothing but its entry points.
            # Once loaded it stays: unloaded with the last worker that used it and loaded again by the next, it would
            # leave behind each time what libstdc++ sets aside for exceptions when memory is short, and the thread pool.
            'ldflags': [
              '-static-libstdc++',
              '-static-libgcc',
              '-Wl,--version-script=<(module_root_dir)/native/exports.map',
              '-Wl,--gc-sections',
              '-Wl,-z,nodelete',
              '-Wl,-s',
            ],
          },
        ],
        [
          'OS=="mac"',
          {
            'xcode_settings': {
              'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
              'CLANG_CXX_LIBRARY': 'libc++',
              'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
              'GCC_ENABLE_CPP_RTTI': 'NO',
              'GCC_OPTIMIZATION_LEVEL': '3',
              'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
              'MACOSX_DEPLOYMENT_TARGET': '11.0',
              'OTHER_CPLUSPLUSFLAGS': ['-Wall', '-Wextra', '<@(float_flags)'],
              'OTHER_LDFLAGS': ['-Wl,-dead_strip', '-Wl,-x'],
            },
          },
        ],
      ],
    },
  ],
}
