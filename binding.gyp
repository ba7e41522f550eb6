# What a checkout builds, from the lists that CMakeLists.txt and lib/cli/compile.ts read too: native/sources.txt and native/flags.
{
  'variables': {
    'compile_flags': [
      '<!@(node -p "require(\'node:fs\').readFileSync(\'native/flags/compile.txt\', \'utf8\').match(/^-.*/gm).join(\' \')")',
    ],
  },
  'targets': [
    {
      'target_name': 'galvani',
      'sources': [
        'native/binding/addon.cc',
        'native/binding/async_run.cc',
        'native/binding/buffers.cc',
        'native/binding/intrinsics.cc',
        'native/binding/windows_functions.cc',
        '<!@(node -p "require(\'node:fs\').readFileSync(\'native/sources.txt\', \'utf8\')")',
      ],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'cflags_cc': ['<@(compile_flags)'],
      'conditions': [
        [
          'OS=="linux"',
          {
            # The linker runs in build/.
            'ldflags': [
              '<!@(node -p "require(\'node:fs\').readFileSync(\'native/flags/link-linux.txt\', \'utf8\').match(/^-.*/gm).join(\' \').replace(\'=native\', \'=../native\')")',
            ],
          },
        ],
        [
          'OS=="mac"',
          {
            'xcode_settings': {
              'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
              'CLANG_CXX_LIBRARY': 'libc++',
              'MACOSX_DEPLOYMENT_TARGET': '11.0',
              'OTHER_CPLUSPLUSFLAGS': ['<@(compile_flags)'],
              'OTHER_LDFLAGS': [
                '<!@(node -p "require(\'node:fs\').readFileSync(\'native/flags/link-darwin.txt\', \'utf8\').match(/^-.*/gm).join(\' \')")',
              ],
            },
          },
        ],
        [
          'OS=="win"',
          {
            # The kernels are written in vector types that Microsoft's own compiler does not have: this is the clang that
            # Visual Studio offers as a component.
            'msbuild_toolset': 'ClangCL',
            'msvs_settings': {
              'VCCLCompilerTool': {
                'AdditionalOptions': [
                  '<!@(node -p "require(\'node:fs\').readFileSync(\'native/flags/compile.txt\', \'utf8\').match(/^-.*/gm).map((flag) => \'/clang:\' + flag).join(\' \')")',
                ],
              },
            },
          },
        ],
      ],
    },
  ],
}
